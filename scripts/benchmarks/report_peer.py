"""The reading of reports by medspaCy, run by the Python of its environment; prints the measurements as JSON.

python report_peer.py FILE      FILE is JSON: {"names": [...], "texts": [...]}

Every name is a target rule, and ConText decides the certainty, as its documentation shows. Sentences are
split as medspaCy does by default.
"""

# the peer has no types here
# mypy: ignore-errors

import json
import resource
import sys
import time
from pathlib import Path


def main():
    import medspacy
    from loguru import logger
    from medspacy.ner import TargetRule

    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    logger.remove()  # it would log every token
    started = time.perf_counter()
    reader = medspacy.load()
    names = dict.fromkeys(name.strip().lower() for name in given["names"])
    reader.get_pipe("medspacy_target_matcher").add([TargetRule(name, "FINDING") for name in names if name])
    ready = time.perf_counter()
    sentences = mentions = 0
    for text in given["texts"]:
        document = reader(text)
        sentences += sum(1 for _ in document.sents)
        mentions += len(document.ents)
    seconds = time.perf_counter() - ready
    facts = {
        "seconds": seconds,
        "start": ready - started,
        "per_second": sentences / seconds,
        "mentions": mentions,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps({"reports: medspaCy": facts}))


if __name__ == "__main__":
    main()
