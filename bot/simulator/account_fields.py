"""What Meta says about accounts and numbers when it is asked."""

from typing import Any

from bot.simulator.accounts import APP, TIERS, Account, Line

DEFAULT_NUMBER_FIELDS = (
    "verified_name",
    "code_verification_status",
    "display_phone_number",
    "quality_rating",
    "platform_type",
    "throughput",
    "webhook_configuration",
    "id",
)
ABSENT_NUMBER_FIELDS = {
    "webhook_configuration",
    "certificate",
    "new_certificate",
    "new_name_status",
    "username",
}


def number_fields(line: Line, account: Account) -> dict[str, Any]:
    """What Meta says about a phone number."""
    number = line.number
    fast = number.messages_per_second > 80
    tier = TIERS.get(account.limit, f"TIER_{account.limit}")
    fields: dict[str, Any] = {
        "verified_name": line.name,
        "code_verification_status": "VERIFIED" if line.verified else "NOT_VERIFIED",
        "display_phone_number": number.display_phone,
        "quality_rating": line.quality,
        "quality_score": {"score": line.quality},
        "platform_type": "CLOUD_API" if line.registered else "NOT_APPLICABLE",
        "host_platform": "CLOUD_API",
        "throughput": {"level": "HIGH" if fast else "STANDARD"},
        "id": number.phone_number_id,
        "status": "CONNECTED" if line.registered else "DISCONNECTED",
        "name_status": "APPROVED",
        **setup(line),
        "messaging_limit_tier": tier,
        "whatsapp_business_manager_messaging_limit": tier,
        "health_status": health(account, "PHONE_NUMBER", number.phone_number_id),
    }
    if line.callback or account.callback:
        chosen = {"phone_number": line.callback, "whatsapp_business_account": account.callback}
        fields["webhook_configuration"] = {name: url for name, url in chosen.items() if url}
    if line.new_name:
        fields["new_name_status"] = "PENDING_REVIEW"
    return fields


def setup(line: Line) -> dict[str, Any]:
    """How a phone number was set up."""
    return {
        "account_mode": "LIVE",
        "is_official_business_account": False,
        "is_on_biz_app": False,
        "is_pin_enabled": line.pin is not None,
        "is_preverified_number": False,
        "search_visibility": "VISIBLE",
        "eligibility_for_api_business_global_search": "NON_ELIGIBLE_UNDEFINED_COUNTRY",
        "last_onboarded_time": "2026-01-01T00:00:00+0000",
        "country_code": "US",
        "country_dial_code": "1",
        "conversational_automation": {
            "id": line.number.phone_number_id,
            "prompts": line.components.get("prompts", []),
            "commands": line.components.get("commands", []),
            "enable_welcome_message": line.components.get("enable_welcome_message", False),
        },
    }


def account_fields(account: Account) -> dict[str, Any]:
    """What Meta says about an account."""
    owner = {"id": "400000000000001", "name": account.name}
    return {
        "id": account.waba_id,
        "name": account.name,
        "timezone_id": account.timezone_id,
        "message_template_namespace": f"ba30dd89_{account.waba_id}",
        "status": "ACTIVE" if account.standing != "DISABLED" else "DISABLED",
        "account_review_status": "APPROVED" if account.standing == "OK" else "RESTRICTED",
        "business_verification_status": "verified",
        "is_enabled_for_insights": True,
        "marketing_messages_lite_api_status": "ELIGIBLE",
        "marketing_messages_onboarding_status": "ELIGIBLE",
        "disable_marketing_messages_on_cloud_api": False,
        "ownership_type": "SELF",
        "on_behalf_of_business_info": {**owner, "status": "APPROVED", "type": "SELF"},
        "owner_business_info": owner,
        "subscribed_apps": {"data": [subscription(account)] if account.subscribed else []},
        "health_status": health(account, "WABA", account.waba_id),
        "currency": "USD",
        "country": "US",
    }


def health(account: Account, kind: str, object_id: str) -> dict[str, Any]:
    """Whether messages can be sent, and which object stands in the way."""
    can = {"OK": "AVAILABLE", "RESTRICTED": "LIMITED", "DISABLED": "BLOCKED"}[account.standing]
    entity = {"entity_type": kind, "id": object_id, "can_send_message": can}
    return {"can_send_message": can, "entities": [entity]}


def subscription(account: Account) -> dict[str, Any]:
    """The one app that there is, as an entry of `subscribed_apps`."""
    entry: dict[str, Any] = {"whatsapp_business_api_data": dict(APP)}
    return {**entry, "override_callback_uri": account.callback} if account.callback else entry
