"""What the app reads of its CDK context. Nothing below app.py reads any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aws_cdk import App

from catchment.settings import Settings, load_settings, read_context

CDK_JSON = Path(__file__).parent.parent / "cdk.json"
SETTINGS_NAMES = ("env", "defaults", "environments")


def feature_flags() -> dict[str, Any]:
    """CDK's feature flags of cdk.json. ``python app.py`` has no command line that would hand them over.

    Raises SettingsError when cdk.json is no JSON.
    """
    return {name: value for name, value in read_context(CDK_JSON).items() if name not in SETTINGS_NAMES}


def read_settings(app: App) -> Settings:
    """The settings of the environment named by ``-c env=…``, with single flags such as ``-c multi_az=true``.

    Raises SettingsError, also for a flag that does not exist.
    """
    context = app.node.get_all_context()
    default = read_context(CDK_JSON).get("env")
    # CDK's own context has a colon or a slash in every name.
    flags = {
        name: value for name, value in context.items() if name not in SETTINGS_NAMES and not {":", "/"} & set(name)
    }
    return load_settings(CDK_JSON, str(context.get("env", default)), flags)
