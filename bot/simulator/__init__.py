"""A fake Graph API that plays Meta and the customers' phones, for the demo and the tests."""

from bot.simulator.model import Customer, Message, Number
from bot.simulator.server import Simulator, running_simulator
from bot.simulator.settings import Pace, Retries, Rules
from bot.simulator.templates import Template

__all__ = [
    "Customer",
    "Message",
    "Number",
    "Pace",
    "Retries",
    "Rules",
    "Simulator",
    "Template",
    "running_simulator",
]
