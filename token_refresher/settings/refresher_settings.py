"""All settings of a refresher. A setting is one field of these classes: its type, rule, default and description.

`TokenRefresher` takes them as keyword arguments. `infra.generated_docs` makes docs/settings.md from them.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from token_refresher.settings.combinations import check_together, completed
from token_refresher.settings.reader import SettingsReader
from token_refresher.settings.resource_settings import ResourceSettings
from token_refresher.settings.setting import settings_of
from token_refresher.settings.timing_settings import TimingSettings

if TYPE_CHECKING:
    from token_refresher.issuers import Issuer


class RefresherSettings(TimingSettings, ResourceSettings, total=False):
    """All settings of a refresher. What `checked` returns has every key."""


def checked(given: Mapping[str, object], issuer: "Issuer | None" = None) -> RefresherSettings:
    """Return the given settings, and the defaults of all others. With an issuer, they must fit it, and it adds its own.

    Raises:
        SettingsError: names every fault, not only the first.

    """
    settings = settings_of(RefresherSettings)
    reader = SettingsReader(settings, given)
    reader.refuse_unknown_keys(given, {})
    values = reader.take_all()
    check_together(reader, values, issuer)
    reader.check()
    if issuer:
        values = completed(values, issuer)
    return cast("RefresherSettings", values)
