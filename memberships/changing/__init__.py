"""What people do with a membership they pay for: switch its price, pause, resume, cancel, add and remove members, and
change the card that pays.

Each locks the subscription, asks the table of transitions, and is safe to be asked twice.
"""

from memberships.changing.family import NotAMember, add_member, remove_member, stop_member
from memberships.changing.paying_with import hold_card, pay_with
from memberships.changing.stopping import NotPaidByOthers, cancel, pause, resume, stop
from memberships.changing.switching import OtherSwitch, SwitchQuote, quote_switch, switch

__all__ = [
    "NotAMember",
    "NotPaidByOthers",
    "OtherSwitch",
    "SwitchQuote",
    "add_member",
    "cancel",
    "hold_card",
    "pause",
    "pay_with",
    "quote_switch",
    "remove_member",
    "resume",
    "stop",
    "stop_member",
    "switch",
]
