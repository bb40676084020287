"""What may be done with a subscription in each state, and where it leads: the whole of it, in one table. Pure.

What is not in the table is refused, with a sentence that says what to do instead.
"""

from enum import StrEnum

from clinics.refusals import Refused
from memberships.models import Subscription

Status = Subscription.Status


class Action(StrEnum):
    """What people do, and below what happens by itself."""

    SWITCH = "switch"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    ADD = "add_member"
    REMOVE = "remove_member"
    PAY_WITH = "pay_with"

    JOIN = "join"
    RENEW = "renew"
    PAID = "paid"
    FAIL = "fail"
    GIVE_UP = "give_up"
    STOP = "stop"


OF_PEOPLE = (Action.SWITCH, Action.PAUSE, Action.RESUME, Action.CANCEL, Action.ADD, Action.REMOVE, Action.PAY_WITH)

MATRIX: dict[Action, dict[Status, Status]] = {
    Action.SWITCH: {
        Status.TRIAL: Status.TRIAL,
        Status.ACTIVE: Status.ACTIVE,
        Status.PAUSED: Status.PAUSED,
    },
    Action.PAUSE: {
        Status.ACTIVE: Status.PAUSING,
        Status.PAUSING: Status.PAUSING,
        Status.PAUSED: Status.PAUSED,
    },
    # Of a membership that was in its trial: back to it (see `after`).
    Action.RESUME: {
        Status.TRIAL: Status.TRIAL,
        Status.ACTIVE: Status.ACTIVE,
        Status.PAUSING: Status.ACTIVE,
        Status.PAUSED: Status.ACTIVE,
        Status.CANCELLING: Status.ACTIVE,
    },
    # One click, from everywhere. What is paid for is theirs to the end of the period.
    Action.CANCEL: {
        Status.INCOMPLETE: Status.ENDED,
        Status.TRIAL: Status.CANCELLING,
        Status.ACTIVE: Status.CANCELLING,
        Status.PAST_DUE: Status.ENDED,
        Status.PAUSING: Status.CANCELLING,
        Status.PAUSED: Status.ENDED,
        Status.CANCELLING: Status.CANCELLING,
        Status.ENDED: Status.ENDED,
    },
    Action.ADD: {
        Status.TRIAL: Status.TRIAL,
        Status.ACTIVE: Status.ACTIVE,
    },
    Action.REMOVE: {
        Status.TRIAL: Status.TRIAL,
        Status.ACTIVE: Status.ACTIVE,
        Status.PAST_DUE: Status.PAST_DUE,
        Status.PAUSING: Status.PAUSING,
        Status.PAUSED: Status.PAUSED,
        Status.CANCELLING: Status.CANCELLING,
    },
    Action.PAY_WITH: {status: status for status in Status if status != Status.ENDED},
    Action.RENEW: {
        Status.TRIAL: Status.ACTIVE,
        Status.ACTIVE: Status.ACTIVE,
        Status.PAUSING: Status.PAUSED,
        Status.CANCELLING: Status.ENDED,
    },
    Action.PAID: {
        Status.INCOMPLETE: Status.ACTIVE,
        Status.PAST_DUE: Status.ACTIVE,
    },
    # What stops at the end of its period stops there all the same: its invoice is pursued without it.
    Action.FAIL: {
        Status.ACTIVE: Status.PAST_DUE,
    },
    Action.GIVE_UP: {
        Status.INCOMPLETE: Status.ENDED,
        Status.ACTIVE: Status.ENDED,
        Status.PAST_DUE: Status.ENDED,
        Status.PAUSING: Status.ENDED,
        Status.PAUSED: Status.ENDED,
        Status.CANCELLING: Status.ENDED,
    },
    # At once, with what is unused given back: for those whom somebody else pays for by now, and by support.
    Action.STOP: {
        Status.TRIAL: Status.ENDED,
        Status.ACTIVE: Status.ENDED,
        Status.PAUSING: Status.ENDED,
        Status.CANCELLING: Status.ENDED,
    },
}
INSTEAD = {
    Status.INCOMPLETE: "Its first payment has not come yet: pay its invoice, or cancel it.",
    Status.TRIAL: "It is in its trial: cancel it, and nothing is charged.",
    Status.ACTIVE: "It is active.",
    Status.PAST_DUE: "A payment is overdue: pay the open invoice first, or cancel it.",
    Status.PAUSING: "It pauses at the end of its period: resume it first.",
    Status.PAUSED: "It is paused: resume it first.",
    Status.CANCELLING: "It ends with its period: resume it first.",
    Status.ENDED: "It has ended: join again.",
}


class NotInThisState(Refused):
    """Something that the membership's state does not allow."""

    code = "not_in_this_state"


def after(action: Action, status: str, *, is_trial: bool = False) -> Status:
    """Where `action` leads from `status`. `is_trial`: its trial is not over. Raises NotInThisState."""
    was = Status(status)
    to = MATRIX[action].get(was)
    if to is None:
        raise NotInThisState(f"This membership cannot do that now. {INSTEAD[was]}", status=status)
    return Status.TRIAL if action is Action.RESUME and to is Status.ACTIVE and is_trial else to


def possible(status: str) -> list[str]:
    """What people may do in `status`, apart from what changes nothing."""
    was = Status(status)
    same = {Action.PAUSE, Action.RESUME, Action.CANCEL}
    return [
        action.value
        for action in OF_PEOPLE
        if (to := MATRIX[action].get(was)) is not None and not (action in same and to is was)
    ]
