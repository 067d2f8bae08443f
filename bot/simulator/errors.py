"""Meta's error answers: one table of codes, and the exception that becomes an answer.

SimulatorError          whatever the simulator refuses
├── Refusal             Meta would refuse this too: the caller's fault, in Meta's own shape
└── NotSimulated        Meta can do this and the simulator cannot: 501, never silence
"""

import secrets
from typing import Any, ClassVar, NamedTuple

ERROR_PAGE = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"


class ErrorKind(NamedTuple):
    """How one code is answered: HTTP status and the short text that Meta gives it."""

    http: int
    title: str


KINDS: dict[int, ErrorKind] = {
    0: ErrorKind(401, "AuthException"),
    1: ErrorKind(400, "API Unknown"),
    2: ErrorKind(503, "API Service"),
    3: ErrorKind(500, "API Method"),
    4: ErrorKind(400, "API Too Many Calls"),
    10: ErrorKind(403, "Permission Denied"),
    33: ErrorKind(400, "Parameter value is not valid"),
    100: ErrorKind(400, "Invalid parameter"),
    190: ErrorKind(401, "Access token has expired"),
    200: ErrorKind(403, "API Permission"),
    368: ErrorKind(403, "Temporarily blocked for policies violations"),
    80007: ErrorKind(400, "Rate limit issues"),
    130429: ErrorKind(400, "Rate limit hit"),
    130472: ErrorKind(400, "User's number is part of an experiment"),
    130497: ErrorKind(403, "Business account is restricted from messaging users in this country"),
    131000: ErrorKind(500, "Something went wrong"),
    131005: ErrorKind(403, "Access denied"),
    131008: ErrorKind(400, "Required parameter is missing"),
    131009: ErrorKind(400, "Parameter value is not valid"),
    131016: ErrorKind(500, "Service unavailable"),
    131021: ErrorKind(400, "Recipient cannot be sender"),
    131026: ErrorKind(400, "Message undeliverable"),
    131030: ErrorKind(400, "Recipient phone number not in allowed list"),
    131031: ErrorKind(403, "Account has been locked"),
    131037: ErrorKind(400, "Display name approval is needed"),
    131042: ErrorKind(400, "Business eligibility payment issue"),
    131045: ErrorKind(500, "Incorrect certificate"),
    131047: ErrorKind(400, "Re-engagement message"),
    131048: ErrorKind(400, "Spam rate limit hit"),
    131049: ErrorKind(400, "Meta chose not to deliver"),
    131050: ErrorKind(400, "User has stopped marketing messages"),
    131051: ErrorKind(400, "Unsupported message type"),
    131052: ErrorKind(400, "Media download error"),
    131053: ErrorKind(400, "Media upload error"),
    131056: ErrorKind(400, "(Business Account, Consumer Account) pair rate limit hit"),
    131057: ErrorKind(500, "Business Account is in maintenance mode"),
    131062: ErrorKind(400, "Business-scoped user id not supported"),
    131063: ErrorKind(400, "Marketing templates are switched off"),
    131064: ErrorKind(400, "Messaging limit reached"),
    132000: ErrorKind(400, "Template Param Count Mismatch"),
    132001: ErrorKind(404, "Template does not exist"),
    132005: ErrorKind(400, "Template Hydrated Text Too Long"),
    132007: ErrorKind(400, "Template Format Character Policy Violated"),
    132008: ErrorKind(400, "Template parameter is not valid"),
    132012: ErrorKind(400, "Template Parameter Format Mismatch"),
    132015: ErrorKind(400, "Template is Paused"),
    132016: ErrorKind(400, "Template is Disabled"),
    132018: ErrorKind(400, "Template parameters are not valid"),
    132068: ErrorKind(400, "Flow is blocked"),
    132069: ErrorKind(400, "Flow is throttled"),
    133005: ErrorKind(400, "Two step verification PIN Mismatch"),
    133015: ErrorKind(400, "Please wait a few minutes before attempting to register this number"),
    136025: ErrorKind(400, "Verify code error"),
    139001: ErrorKind(400, "Updating attempt failed"),
    139002: ErrorKind(400, "Publishing attempt failed"),
    139003: ErrorKind(400, "Deprecating attempt failed"),
    139004: ErrorKind(400, "Deleting attempt failed"),
    2200: ErrorKind(400, "Callback verification failed"),
    133004: ErrorKind(503, "Server Temporarily Unavailable"),
    133010: ErrorKind(400, "Phone number Not Registered"),
    133016: ErrorKind(400, "Account register deregister rate limit exceeded"),
    135000: ErrorKind(400, "Generic user error"),
    137000: ErrorKind(400, "Identity key mismatch"),
}
TRANSIENT = {1, 2, 4, 80007, 130429, 131000, 131016, 131056, 131057, 133004}


class SimulatorError(Exception):
    """The simulator refused something."""

    retryable: ClassVar[bool] = False


class Refusal(SimulatorError):
    """A request that Meta would refuse, with the body Meta would refuse it with.

    `user` is a title and a sentence for the person behind the request: templates have them.
    """

    def __init__(
        self,
        code: int,
        details: str = "",
        *,
        subcode: int | None = None,
        user: tuple[str, str] | None = None,
    ) -> None:
        self.code = code
        self.details = details
        self.subcode = subcode
        self.user = user
        super().__init__(f"(#{code}) {details}")

    @property
    def http(self) -> int:
        """The HTTP status that goes with the code."""
        return KINDS.get(self.code, ErrorKind(400, "")).http

    def body(self) -> dict[str, Any]:
        """The `{"error": …}` object of the Graph API."""
        title = KINDS.get(self.code, ErrorKind(400, "Error")).title
        error: dict[str, Any] = {
            "message": self._message(title),
            "type": "OAuthException",
            "code": self.code,
        }
        if self.code >= 130000:
            error["error_data"] = {
                "messaging_product": "whatsapp",
                "details": self.details or title,
            }
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.user is not None:
            error["error_user_title"], error["error_user_msg"] = self.user
            error["is_transient"] = False
        if self.code in TRANSIENT:
            error["is_transient"] = True
        error["fbtrace_id"] = trace_id()
        return {"error": error}

    def _message(self, title: str) -> str:
        if self.code >= 130000:
            return f"(#{self.code}) {title}"
        if self.code == 190:
            return self.details or "Error validating access token: Session has expired"
        return f"(#{self.code}) {self.details or title}"


class NoSuchObject(Refusal):
    """An id in the path that names nothing the token may see."""

    def __init__(self, object_id: str, method: str) -> None:
        super().__init__(100, subcode=33)
        self.text = (
            f"Unsupported {method.lower()} request. Object with ID '{object_id}' does not exist, "
            "cannot be loaded due to missing permissions, or does not support this operation"
        )

    def body(self) -> dict[str, Any]:
        """The shape that Meta uses for unknown objects."""
        return {
            "error": {
                "message": self.text,
                "type": "GraphMethodException",
                "code": 100,
                "error_subcode": 33,
                "fbtrace_id": trace_id(),
            }
        }


class NotSimulated(SimulatorError):
    """Something that the real Graph API does and this one does not."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what)

    def body(self) -> dict[str, Any]:
        """An error in Meta's shape that nobody can take for one of Meta's."""
        return {
            "error": {
                "message": f"The simulator does not do this yet: {self.what}",
                "type": "SimulatorException",
                "code": 501,
                "fbtrace_id": trace_id(),
            }
        }


def status_error(code: int, details: str = "") -> dict[str, Any]:
    """One entry of `statuses[].errors[]`."""
    title = KINDS.get(code, ErrorKind(400, "Error")).title
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": details or title},
        "href": ERROR_PAGE,
    }


def trace_id() -> str:
    """An identifier like the one Meta asks for in bug reports."""
    return "A" + secrets.token_urlsafe(16)
