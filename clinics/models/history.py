"""Every change of a row that matters is kept: by triggers, so that bulk changes and bare SQL are kept, too.

`@tracked()` gives a model a table of what its rows became (`PatientHistory` of `Patient`), with who did it in
`pgh_context` (see clinics.acting). The application's database role adds to these tables, and can do no more to them.
"""

from collections.abc import Callable
from typing import TypeVar

import pghistory
from django.db import models

M = TypeVar("M", bound=type[models.Model])


def tracked(*, exclude: tuple[str, ...] = (), inserts: bool = True) -> Callable[[M], M]:
    """A class decorator: keep each row as it was inserted (unless told not to), each change of it, and its end.

    Fields of `exclude` are not kept, and changing them alone is no change.
    """

    def decorate(model: M) -> M:
        pghistory.track(
            *([pghistory.InsertEvent()] if inserts else []),
            pghistory.UpdateEvent(),
            pghistory.DeleteEvent(),
            exclude=list(exclude),
            model_name=f"{model.__name__}History",
            obj_field=pghistory.ObjForeignKey(related_name="history", db_index=True),
            context_field=pghistory.ContextJSONField(),
            context_id_field=None,  # type: ignore[arg-type]  # as its documentation allows
            attrs={"pgh_id": models.BigAutoField(primary_key=True)},
        )(model)
        return model

    return decorate
