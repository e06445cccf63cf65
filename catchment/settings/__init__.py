"""What an environment may say, validated once into frozen models.

Example: ``load_settings(Path("cdk.json"), "dev").sources["sales"].tables``
"""

from catchment.settings.database import ExternalSettings, RdsSettings
from catchment.settings.load import environment_names, load_settings, read_context, stack_prefix
from catchment.settings.models import DeliverySettings, Settings
from catchment.settings.network import NetworkSettings
from catchment.settings.replica import ReplicaSettings
from catchment.settings.samples import FileSamples, SampleSettings
from catchment.settings.source import SourceSettings, TableSettings

__all__ = [
    "DeliverySettings",
    "ExternalSettings",
    "FileSamples",
    "NetworkSettings",
    "RdsSettings",
    "ReplicaSettings",
    "SampleSettings",
    "Settings",
    "SourceSettings",
    "TableSettings",
    "environment_names",
    "load_settings",
    "read_context",
    "stack_prefix",
]
