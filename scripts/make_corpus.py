"""Write N synthetic finding models below DIR, for tests and measurements at scale.

    python scripts/make_corpus.py 100000 /tmp/corpus --seed 7

Every file is valid, canonical JSON of a realistic size (about 7 kB: presence, change from prior, sometimes a
third attribute). The same seed gives the same bytes, and a larger N only adds files. Names, ids, attribute
ids and paths are unique; synonyms are not, as in real collections. Words follow a heavy-tailed distribution,
so the vocabulary grows with N as in real collections. The content has no medical meaning; see samples/ for
readable models.

Exit codes: 0 done; 2 bad usage, or DIR cannot be used.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from functools import cache
from math import isqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["generate", "main", "rare_word"]

MOST = 100_000_000
"""The ids (4 letters, 6 digits, 3 attributes per model) are enough for twice as many."""


def _table(text: str) -> list[str]:
    return text.split()


MODIFIERS = _table("""
    focal diffuse multifocal solitary large small chronic acute subacute calcified cystic solid complex
    nodular linear reticular lobulated spiculated irregular round oval expansile lytic sclerotic enhancing
    hypodense hyperdense echogenic hypoechoic anechoic hemorrhagic fatty fibrous mucinous necrotic
    cavitary infiltrative obstructive inflammatory infectious congenital traumatic postoperative
    degenerative ischemic vascular avascular mobile loculated septated thickened displaced dilated
    narrowed partial complete unilateral symmetric asymmetric patchy confluent peripheral central
    superficial deep proximal distal anterior posterior
""")
SITES = _table("""
    pulmonary pleural mediastinal hilar tracheal bronchial pericardial myocardial aortic mitral coronary
    carotid hepatic biliary splenic pancreatic gastric duodenal jejunal ileal colonic rectal mesenteric
    peritoneal adrenal renal ureteral vesical urethral prostatic testicular ovarian uterine cervical
    placental fetal mammary axillary thyroid parathyroid parotid laryngeal pharyngeal sinonasal orbital
    cochlear mastoid cerebral cerebellar thalamic hippocampal pituitary meningeal ventricular spinal
    lumbar thoracic sacral vertebral costal sternal clavicular scapular humeral radial ulnar carpal
    metacarpal crural patellar tibial fibular tarsal calcaneal pelvic acetabular inguinal popliteal
    subcutaneous muscular tendinous synovial meniscal cutaneous lymphatic venous portal iliac
""")
LESIONS = _table("""
    lesion mass nodule cyst calcification thickening opacity effusion stenosis fracture collection
    dilatation enhancement tumor aneurysm edema hemorrhage thrombosis infarct atrophy enlargement erosion
    abscess fistula diverticulum polyp stone hernia tear dislocation dissection occlusion malformation
    hypoplasia duplication metastasis adenoma hemangioma lipoma scar
""")
WORDS = _table("""
    usually seen often margins tissue adjacent contrast signal density contour surrounding increased
    decreased bright dark phase wall fluid septa rim central edge growth fat iron blood air shadow border
    surface layer pattern band zone segment vessel nerve duct lumen cortex marrow capsule stroma fascia
    muscle ligament cartilage joint space recess fold groove canal foramen fissure cavity pouch sac valve
    septum root apex base neck body tail head trunk branch arch loop bend angle plane axis slope depth
    width height length ratio volume stage grade score risk course cause onset origin outcome response
    relapse spread invasion contact traction pressure torsion rupture leak obstruction delayed early late
    rapid slow gradual sudden stable subtle marked extensive limited scattered clustered grouped regional
    segmental lobar global mosaic radiating concentric eccentric layered whorled feathery granular smooth
    sharp blurred indistinct homogeneous heterogeneous restricted persistent transient reversible
""")
SENTENCES = (
    "<Lesion> in the <site> region with <w1> <w2> and <w3>.",
    "<Modifier> <site> <lesion>, <w1> by <w2>; <w3> and <w4> are common.",
    "Area of <w1> <w2> that marks <modifier> <lesion>, ≥ 3 mm in <w3>.",
    "<Lesion> of <site> structures, as a rule <w1> and <w2>; <w3> may follow.",
    "<Modifier> change of <site> tissue beside <w1>, <w2> or <w3>, of <w4> type.",
    "Finding of the <site> <w1> in which <lesion> shows <w2>, <w3> or <w4>.",
    "<W1> <lesion> near the <site> <w2>, best judged on <w3> <w4> images.",
    "Benign <lesion> from <site> <w1>, often <w2> and rarely <w3>.",
    "<Site> <w1> of <modifier> appearance, caused by <w2> or naïve <w3>.",
    "Loss of <w1> in the <site> <w2>, together with <lesion> and <w3>.",
    "Rare <w1> <w2> that displaces <site> <w3> and resembles <lesion>.",
    "<W1>, <w2> and <w3>: a triad typical of <site> <lesion>.",
)
SYNONYMS = ("<ABCD>", "<lesion> of the <site> <w1>", "<modifier> <lesion> (<site>)", "<w2> <site> <lesion>")
MODALITIES = ("CT", "MR", "XR", "US", "NM", "PET")
TAGS = (
    "finding",
    "diagnosis",
    "chest",
    "abdomen",
    "neuro",
    "musculoskeletal",
    "vascular",
    "pediatric",
    "device",
    "oncology",
)

# name | sentence | RadLex code and term | SNOMED code and term
PRESENCE = """absent|No <name> is seen|RID28473|absent|2667000|Absent (qualifier value)
present|<Name> is seen|RID28472|present|52101004|Present (qualifier value)
indeterminate|<Name> may be there or not|RID39110|indeterminate|82334004|Indeterminate (qualifier value)
unknown|Nothing is known of <name>|RID5655|unknown|261665006|Unknown (qualifier value)"""
CHANGE = """unchanged|<Name> is as before|RID39268|unchanged|260388006|No status change (qualifier value)
stable|<Name> does not evolve|RID5734|stable|58158008|Stable (qualifier value)
new|<Name> was not there before|RID5720|new|7147002|New (qualifier value)
increased|There is more <name> than before|RID36043|increased|35105006|Increased (qualifier value)
decreased|There is less <name> than before|RID36044|decreased|1250004|Decreased (qualifier value)
larger|<Name> has grown|RID5791|enlarged|263768009|Greater (qualifier value)
smaller|<Name> has shrunk|RID38669|diminished|263796003|Lesser (qualifier value)
resolved|<Name> was there before"""
SEVERITY = """mild|<Name> of little extent|RID5671|mild|255604002|Mild (qualifier value)
moderate|<Name> of medium extent|RID5672|moderate|1255665007|Moderate (qualifier value)
severe|<Name> of great extent|RID5673|severe|24484000|Severe (severity modifier) (qualifier value)"""
SIDE = """left|<Name> on the left|RID5824|left|7771000|Left (qualifier value)
right|<Name> on the right|RID5825|right|24028007|Right (qualifier value)"""
SPREAD = "central|Near the center\nperipheral|Near the edge\nmultifocal|In several places\ndiffuse|Everywhere"
CHOICES = {  # attribute name -> maximum number of selected values, values
    "presence": (1, PRESENCE),
    "change from prior": (1, CHANGE),
    "severity": (1, SEVERITY),
    "side": (2, SIDE),
    "distribution": (4, SPREAD),
}
NUMBERS: dict[str, tuple[float, float, str]] = {  # attribute name -> minimum, maximum, unit
    "diameter": (1, 300, "mm"),
    "volume": (0.1, 2000.0, "mL"),
    "attenuation": (-200, 3000, "HU"),
    "extent": (0, 100, "%"),
}
THIRD = (*(name for name in CHOICES if name not in {"presence", "change from prior"}), *NUMBERS)

PAIRS = [consonant + vowel for consonant in "bdfglmnprstvz" for vowel in "aeiou"]
ENDINGS = [
    consonant + ending
    for consonant in "bdfglmnprstvz"
    for ending in ("al", "ic", "oid", "oma", "osis", "itis", "ine", "ous")
]
SHORT = len(PAIRS) ** 2 * len(ENDINGS)
STRIDE = 271_563
"""Coprime to SHORT; consecutive ranks get dissimilar words."""
TAIL, HEAD = 1.5, 1000.0
"""Shape and scale of the Pareto law of word ranks: 2,400 models get 3,900 words of 4 letters or more."""


class Shape(NamedTuple):
    """The parts of the JSON of a model; models of one shape differ only in words and ids."""

    synonyms: int
    tags: int
    person: bool
    attributes: tuple[str, ...]


def generate(count: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Yield the path (relative, POSIX) and the bytes of *count* valid finding models.

    A longer run starts with the models of a shorter one. A directory has at most 1,000 files.

    Raises:
        ValueError: *count* is less than 1 or more than 100,000,000.

    >>> paths = [path for path, _ in generate(3, seed=1)]
    >>> len(set(paths)), all(path.startswith("syaa/000/") and path.endswith(".fm.json") for path in paths)
    (3, True)
    """
    if not 1 <= count <= MOST:
        raise ValueError(f"the number of models must be from 1 to {MOST:,}, not {count:,}")
    return _models(count, random.Random(f"corpus {seed}"))  # noqa: S311 - as text, because int seeds lose their sign


def rare_word(rank: int) -> str:
    """Return the invented word of *rank* (0, 1, 2, ...); different ranks give different words.

    Consonants and vowels alternate up to an ending, and no ending contains another, so no two ranks collide.

    >>> rare_word(0), rare_word(1), rare_word(500_000)
    ('bababal', 'ferafoma', 'sesabefal')
    """
    block, short = divmod(rank, SHORT)
    short, ending = divmod(short * STRIDE % SHORT, len(ENDINGS))
    digits = [short % len(PAIRS), short // len(PAIRS)]
    while block:
        block, digit = divmod(block, len(PAIRS))
        digits.append(digit)
    return "".join([PAIRS[digit] for digit in digits]) + ENDINGS[ending]


def _models(count: int, rng: random.Random) -> Iterator[tuple[str, bytes]]:
    modifiers, sites = _shuffled(MODIFIERS, rng), _shuffled(SITES, rng)
    for number in range(count):
        # Cantor's pairing function, inverted: no two numbers share both modifier and site
        diagonal = (isqrt(8 * number + 1) - 1) // 2
        site = number - diagonal * (diagonal + 1) // 2
        words = _words(_ranked(modifiers, diagonal - site), _ranked(sites, site), rng)
        letters, digits = _serial(number)
        path = f"{letters.lower()}/{digits[:3]}/{words['name'].replace(' ', '_')}.fm.json"
        values = words | _identifiers(number) | _texts(words, rng)
        yield path, _fill(_document(_shape(rng)), values).encode()


def _words(modifier: str, site: str, rng: random.Random) -> dict[str, str]:
    lesion = LESIONS[int(rng.random() ** 2 * len(LESIONS))]
    words = {"modifier": modifier, "site": site, "lesion": lesion, "name": f"{modifier} {site} {lesion}"}
    words |= {f"w{place}": _ranked(WORDS, _rank(rng)) for place in range(1, 5)}
    words["ABCD"] = (modifier[0] + site[0] + lesion[0] + words["w1"][0]).upper()
    return words | {key.capitalize(): word.capitalize() for key, word in words.items() if key != "ABCD"}


def _identifiers(number: int) -> dict[str, str]:
    serials = {"oifm": _serial(number)} | {f"a{place}": _serial(3 * number + place) for place in range(3)}
    prefixes = {key: "OIFM" if key == "oifm" else "OIFMA" for key in serials}
    return {key: f"{prefixes[key]}_{letters}_{digits}" for key, (letters, digits) in serials.items()}


def _texts(words: Mapping[str, str], rng: random.Random) -> dict[str, str]:
    first_tag = int(rng.random() * len(TAGS))
    texts = {f"tag{place}": TAGS[(first_tag + 3 * place) % len(TAGS)] for place in range(4)}
    texts["modality"] = MODALITIES[int(rng.random() ** 2 * len(MODALITIES))]
    texts["person"] = f"{int(rng.random() ** 2 * 40):02d}"
    texts["description"] = _fill(SENTENCES[int(rng.random() * len(SENTENCES))], words)
    first_synonym = int(rng.random() * len(SYNONYMS))
    for place in range(3):
        texts[f"synonym{place}"] = _fill(SYNONYMS[(first_synonym + place) % len(SYNONYMS)], words)
    return texts


def _shape(rng: random.Random) -> Shape:
    third = THIRD[int(rng.random() * len(THIRD))]
    lot = rng.random()
    attributes = ("presence", "change from prior", third) if lot < 0.3 else ("presence", "change from prior")
    if lot > 0.95:
        attributes = ("presence", third)
    synonyms = (0, 0, 0, 0, 1, 1, 1, 2, 2, 3)[int(rng.random() * 10)]
    return Shape(synonyms, 1 + int(rng.random() * 4), rng.random() < 0.3, attributes)


@cache
def _document(shape: Shape) -> str:
    organization = {"name": "Synthetic Models", "code": "SYNT", "url": "https://example.org/"}
    person = {
        "github_username": "generator-<person>",
        "email": "generator-<person>@example.org",
        "name": "Generator <person>",
        "organization_code": "SYNT",
    }
    model: dict[str, Any] = {"oifm_id": "<oifm>", "name": "<name>", "description": "<description>"}
    if shape.synonyms:
        model["synonyms"] = [f"<synonym{place}>" for place in range(shape.synonyms)]
    model["tags"] = ["<modality>", *(f"<tag{place}>" for place in range(shape.tags))]
    model["contributors"] = [person, organization] if shape.person else [organization]
    model["attributes"] = [_attribute(name, f"<a{place}>") for place, name in enumerate(shape.attributes)]
    model["index_codes"] = [{"system": "SYNTHETIC", "code": "<oifm>", "display": "<name>"}]
    return json.dumps(model, indent=2, ensure_ascii=False) + "\n"


def _attribute(name: str, oifma_id: str) -> dict[str, Any]:
    common = {"oifma_id": oifma_id, "name": name, "description": f"The {name} of <name>"}
    if name in NUMBERS:
        minimum, maximum, unit = NUMBERS[name]
        limits = {"minimum": minimum, "maximum": maximum, "unit": unit}
        return common | {"type": "numeric"} | limits | {"required": False}
    max_selected, lines = CHOICES[name]
    values = [
        _value(f"{oifma_id}.{place}", *line.split("|")) for place, line in enumerate(lines.splitlines())
    ]
    return common | {"type": "choice", "values": values, "required": False, "max_selected": max_selected}


def _value(code: str, name: str, description: str, *ontologies: str) -> dict[str, Any]:
    value: dict[str, Any] = {"value_code": code, "name": name, "description": description}
    if ontologies:
        radlex, term, snomed, concept = ontologies
        value["index_codes"] = [
            {"system": "RADLEX", "code": radlex, "display": term},
            {"system": "SNOMED", "code": snomed, "display": concept},
        ]
    return value


def _fill(template: str, values: Mapping[str, str]) -> str:
    parts = list(_split(template))
    parts[1::2] = [values[key] for key in parts[1::2]]
    return "".join(parts)


@cache
def _split(template: str) -> tuple[str, ...]:
    return tuple(re.split(r"<(\w+)>", template))  # text, key, text, key, ..., text


def _serial(number: int) -> tuple[str, str]:
    block, digits = divmod(number, 1_000_000)
    return f"SY{chr(65 + block // 26)}{chr(65 + block % 26)}", f"{digits:06d}"


def _rank(rng: random.Random) -> int:
    return min(int(HEAD * ((1.0 - rng.random()) ** (-1 / TAIL) - 1)), 10**9)


def _ranked(common: Sequence[str], rank: int) -> str:
    return common[rank] if rank < len(common) else rare_word(rank - len(common))


def _shuffled(words: Sequence[str], rng: random.Random) -> list[str]:
    return sorted(words, key=lambda _: rng.random())  # only random() is the same in every Python version


def write(models: Iterable[tuple[str, bytes]], directory: Path) -> int:
    """Write *models*, as `generate` yields them, below *directory* and return the number of bytes."""
    size, folder = 0, None
    for path, content in models:
        file = directory / path
        if file.parent != folder:
            folder = file.parent
            folder.mkdir(parents=True, exist_ok=True)
        size += file.write_bytes(content)
    return size


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        models = generate(options.count, options.seed)
        _refuse(options.directory, force=options.force)
        size = write(models, options.directory)
    except (OSError, ValueError) as error:
        print(f"make_corpus: cannot write models to {options.directory}: {error}", file=sys.stderr)
        return 2
    print(f"{options.count:,} models, {size / 1e6:,.1f} MB, in {options.directory}")
    return 0


def _refuse(directory: Path, *, force: bool) -> None:
    if directory.exists() and not directory.is_dir():
        raise ValueError("that is a file; name a directory")
    if not force and directory.is_dir() and any(directory.iterdir()):
        raise ValueError("the directory is not empty; name another one, or use --force to write into it")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Write N synthetic finding models below DIR, for tests and measurements at scale.",
        epilog="example: python scripts/make_corpus.py 100000 /tmp/corpus --seed 7",
    )
    parser.add_argument("count", metavar="N", type=int, help=f"number of models, from 1 to {MOST:,}")
    parser.add_argument(
        "directory", metavar="DIR", type=Path, help="the directory; created if missing, must be empty"
    )
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same bytes (default: 0)")
    parser.add_argument(
        "--force", action="store_true", help="write to DIR even if it is not empty; removes nothing"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
