"""A migration's step that makes many triggers at once."""

from typing import Any, NamedTuple

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from pgtrigger.compiler import Trigger


class On(NamedTuple):
    """A trigger, and the model it is on."""

    model: str
    trigger: Trigger


class AddTriggers(Operation):
    """What as many of pgtrigger's AddTrigger do. Each of those has Django make every model anew: seconds in all."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, triggers: list[tuple[str, Trigger]]) -> None:
        self.triggers = [On(*each) for each in triggers]

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        for on in self.triggers:
            options = state.models[app_label, on.model].options
            options["triggers"] = [*options.get("triggers", []), on.trigger]

    def database_forwards(
        self, _app: str, schema_editor: BaseDatabaseSchemaEditor, _from: ProjectState, _to: ProjectState
    ) -> None:
        for on in self.triggers:
            schema_editor.execute(on.trigger.install_sql, params=None)

    def database_backwards(
        self, _app: str, schema_editor: BaseDatabaseSchemaEditor, _from: ProjectState, _to: ProjectState
    ) -> None:
        for on in self.triggers:
            schema_editor.execute(on.trigger.uninstall_sql, params=None)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [], {"triggers": [tuple(on) for on in self.triggers]}

    def describe(self) -> str:
        return f"Create {len(self.triggers)} triggers"
