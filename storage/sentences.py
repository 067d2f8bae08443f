"""What to tell whoever enters something that a rule of the schema refuses: which rule, and why."""

from __future__ import annotations

from typing import Final

from storage.errors import ConstraintViolated

_ZONE: Final = "The time zone is unknown; write it like Europe/Berlin."
_A_DAY: Final = "between 1 and 1440 minutes, which is a day"

SENTENCES: Final = {
    "companies_phone_number_id_is_unique": "A company with this phone_number_id exists already.",
    "companies_vertical_is_known": "The vertical must be salon, garage or general.",
    "companies_currency_is_iso": "The currency must be three capital letters, such as EUR.",
    "companies_country_is_iso": "The country must be two capital letters, such as DE.",
    "companies_name_is_not_blank": "The name must not be blank.",
    "companies_settings_is_object": "The settings must be a JSON object.",
    "companies_external_ids_is_object": "The external ids must be a JSON object.",
    "companies_timezone_is_known": _ZONE,
    "companies_lead_is_possible": "The lead time must be a whole number of minutes, 0 or more.",
    "companies_horizon_is_possible": "The horizon must be between 1 and 730 days.",
    "companies_grid_is_possible": f"The grid must be {_A_DAY}: starts are so far apart.",
    "companies_cancel_notice_is_possible": (
        "The notice for cancelling must be a whole number of minutes, 0 or more."
    ),
    "companies_hold_is_possible": "A hold must last between 1 and 120 minutes.",
    "companies_offer_is_possible": f"An offer must last {_A_DAY}.",
    "staff_timezone_is_known": _ZONE,
    "staff_name_is_not_blank": "The name must not be blank.",
    "staff_phone_is_digits": "The phone number must be digits with the country code.",
    "staff_may_have_a_visit_a_day": "The most visits a day must be 1 or more, or left open.",
    "staff_weight_is_positive": "The weight must be between 1 and 100.",
    "service_areas_timezone_is_known": _ZONE,
    "service_areas_postal_code_is_unique": "This postal code is entered already.",
    "service_categories_name_is_unique": "A category with this name exists already.",
    "services_name_is_not_blank": "The name must not be blank.",
    "services_take_between_a_minute_and_a_day": f"A service must take {_A_DAY}.",
    "services_price_is_not_negative": "The price must not be below zero.",
    "services_buffers_are_within_a_day": "A buffer must be between 0 and 1440 minutes.",
    "services_lead_is_not_negative": "The lead time must be 0 minutes or more.",
    "services_horizon_is_positive": "The horizon must be 1 day or more.",
    "services_lead_ends_before_the_horizon": (
        "The lead time ends after the horizon: the service could never be booked."
    ),
    "services_grid_divides_time": f"The grid must be {_A_DAY}: starts are so far apart.",
    "services_grid_offset_is_below_the_grid": (
        "The grid's offset must be less than the grid, from which it shifts the starts."
    ),
    "services_processing_lies_inside": (
        "Processing must begin after the service does and end before it: "
        "the staff member works before and after it."
    ),
    "services_capacity_is_at_least_one": "The capacity must be between 1 and 1000.",
    "staff_services_take_between_a_minute_and_a_day": f"A service must take {_A_DAY}.",
    "staff_services_price_is_not_negative": "The price must not be below zero.",
    "staff_services_fit_a_shift": (
        "A service takes longer than every shift of somebody who does it, "
        "so that it could never be booked: make it shorter, or a shift longer."
    ),
    "staff_services_processing_lies_inside": (
        "Somebody does a service in so few minutes that its processing time does not fit in."
    ),
    "staff_hours_weekday_is_iso": "The weekday must be between 1, Monday, and 7, Sunday.",
    "staff_hours_kind_is_known": "The kind must be work or break.",
    "staff_hours_are_not_empty": (
        "A shift must not end when it starts; one that ends earlier runs over midnight."
    ),
    "staff_hours_shift_is_entered_once": "This shift is entered already.",
    "staff_hours_shifts_do_not_overlap": (
        "This shift overlaps another one of the same person: enter them as one."
    ),
    "staff_schedules_kind_is_known": "The kind must be replace, add or break.",
    "staff_schedules_have_both_times_or_none": (
        "Enter both the start and the end, or neither to close the day."
    ),
    "staff_schedules_are_not_empty": (
        "A shift must not end when it starts; one that ends earlier runs over midnight."
    ),
    "staff_schedules_only_a_closed_day_has_no_times": (
        "Only a day that is replaced may have no times: it is closed."
    ),
    "staff_schedules_shifts_do_not_overlap": (
        "This shift overlaps another one that is entered for dates of the same person."
    ),
    "time_off_ends_after_it_starts": "Time off must end after it starts.",
    "resources_name_is_unique": "A resource with this name exists already.",
    "resources_name_is_not_blank": "The name must not be blank.",
    "resources_have_units": "A resource must have between 1 and 999 units.",
    "feature_flags_key_is_snake_case": "The key must be lower case letters, digits and _.",
}
"""By constraint: all that a catalogue can be refused for."""


def sentence(error: ConstraintViolated) -> str:
    """Say what is wrong with what was entered."""
    return SENTENCES.get(error.constraint, str(error))
