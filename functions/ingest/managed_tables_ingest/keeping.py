"""Drop rows kept for an undo from the companies' databases when their time is over."""

from collections.abc import Callable

from managed_tables.clock import timestamp
from managed_tables.errors import ApiError
from managed_tables.history.recording import forget_changes
from managed_tables.observability import get_logger
from managed_tables.tables.keeping import forget_expired
from managed_tables.undo.reminders import Reminder
from managed_tables.wiring.services import Services

SERVICE = "sweep"
MAX_REMINDERS = 200  # a run, each of which may wake a database; the next run goes on


def drop_expired(services: Services, may_start: Callable[[], bool] = lambda: True) -> int:
    """Drop what is due and return how many reminders were followed; one company's failure stops no other."""
    followed = 0
    for number, reminder in enumerate(services.reminders.due(timestamp())):
        if number >= MAX_REMINDERS or not may_start():
            break
        try:
            _follow(services, reminder)
            followed += 1
        except ApiError:
            get_logger(SERVICE).warning("kept rows left for the next sweep", exc_info=True)
    return followed


def _follow(services: Services, reminder: Reminder) -> None:
    company = services.provisioning.find(reminder.company_id)
    if company is not None:
        with services.open_company(company) as connection:
            settings = services.settings
            while forget_expired(connection, settings.undo_days, settings.history_days):
                pass
            while forget_changes(connection, settings.history_days):
                pass
    services.reminders.remove(reminder)
