"""Region labels, as alarms tell them: "EU (Ireland)", "EU - Ireland", "Europe (Ireland)" are all eu-west-1.

Labels: https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html; CloudWatch's notifications
keep older names ("EU" for "Europe", "US - N. Virginia"), which stand beside the present ones here.
"""

import re
import unicodedata
from typing import NamedTuple

from orchestrator.parse import REGION

LONGEST = 80
"""What is longer is no label, in characters."""


class _Row(NamedTuple):
    """One Region: its code, the names of its area, and the names of its place."""

    code: str
    areas: str
    places: str


US, EU, AP, SA, ME = "us|usa", "eu|europe", "asia pacific|apac|ap", "south america|sa", "middle east|me"

ROWS: tuple[_Row, ...] = (
    _Row("us-east-1", f"{US}|us east", "n virginia|northern virginia|virginia"),
    _Row("us-east-2", f"{US}|us east", "ohio"),
    _Row("us-west-1", f"{US}|us west", "n california|northern california|california"),
    _Row("us-west-2", f"{US}|us west", "oregon"),
    _Row("af-south-1", "africa|af", "cape town"),
    _Row("ap-east-1", AP, "hong kong|hong kong sar"),
    _Row("ap-east-2", AP, "taipei|taiwan"),
    _Row("ap-south-1", AP, "mumbai"),
    _Row("ap-south-2", AP, "hyderabad"),
    _Row("ap-southeast-1", AP, "singapore"),
    _Row("ap-southeast-2", AP, "sydney"),
    _Row("ap-southeast-3", AP, "jakarta"),
    _Row("ap-southeast-4", AP, "melbourne"),
    _Row("ap-southeast-5", AP, "malaysia"),
    _Row("ap-southeast-6", AP, "new zealand|auckland"),
    _Row("ap-southeast-7", AP, "thailand|bangkok"),
    _Row("ap-northeast-1", AP, "tokyo"),
    _Row("ap-northeast-2", AP, "seoul"),
    _Row("ap-northeast-3", AP, "osaka|osaka local"),
    _Row("ca-central-1", "canada", "central|montreal"),
    _Row("ca-west-1", "canada|canada west", "calgary"),
    _Row("eu-central-1", EU, "frankfurt"),
    _Row("eu-central-2", EU, "zurich"),
    _Row("eu-west-1", EU, "ireland"),
    _Row("eu-west-2", EU, "london"),
    _Row("eu-west-3", EU, "paris"),
    _Row("eu-north-1", EU, "stockholm"),
    _Row("eu-south-1", EU, "milan"),
    _Row("eu-south-2", EU, "spain"),
    _Row("il-central-1", "israel", "tel aviv"),
    _Row("me-central-1", ME, "uae|united arab emirates"),
    _Row("me-south-1", ME, "bahrain"),
    _Row("mx-central-1", "mexico", "central|queretaro"),
    _Row("sa-east-1", SA, "sao paulo"),
    _Row("us-gov-east-1", "aws govcloud|govcloud", "us east|east"),
    _Row("us-gov-west-1", "aws govcloud|govcloud", "us west|west|us"),
    _Row("cn-north-1", "china|china north", "beijing"),
    _Row("cn-northwest-1", "china|china northwest", "ningxia"),
    _Row("eusc-de-east-1", "aws european sovereign cloud|european sovereign cloud", "germany|brandenburg"),
)
"""Every Region, with the words that its labels are made of; their punctuation does not matter."""

ALONE = frozenset({"central", "east", "west", "us", "us east", "us west"})
"""Names of a place that say nothing without their area."""


def _plain(text: str) -> str:
    """Return the words of a label without accents and punctuation."""
    bare = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(re.sub(r"[^a-z0-9]+", " ", "".join(c for c in bare if not unicodedata.combining(c))).split())


LABELS: dict[str, str] = {
    label: row.code
    for row in ROWS
    for place in row.places.split("|")
    for label in (*(f"{area} {place}" for area in row.areas.split("|")), *({place} - ALONE))
}


def region_of(text: str) -> str | None:
    """Return the code of the Region that a code or a label names, with or without words such as "region" around it."""
    if len(text) > LONGEST:
        return None
    code = REGION.search(text)
    if code:
        return code[1].lower()
    words = re.sub(r"^(?:the|region|aws region) | region$", "", _plain(text))
    return LABELS.get(words) or LABELS.get(words.removesuffix(" region"))
