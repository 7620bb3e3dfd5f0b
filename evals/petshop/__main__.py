"""`python -m evals.petshop convert|rank|score|measure`: PetShop cases, their rankings, and how good these are."""

import argparse
import json
import sys
from pathlib import Path
from statistics import fmean

from evals.petshop.convert import Degradation, convert
from evals.petshop.score import Ranking, measure, rankings, score


def main(arguments: list[str] | None = None) -> int:
    """Do one of the commands."""
    options = _parser().parse_args(arguments)
    if options.command == "convert":
        print(f"{convert(options.folder, options.out, _degradation(options))} cases in {options.out}")
    elif options.command == "rank":
        for ranking in rankings(options.out):
            print(json.dumps({"case": ranking.case, "ranking": ranking.nodes}))
    elif options.command == "score":
        print(score(options.out, _read(options.rankings) if options.rankings else rankings(options.out)))
    else:
        _measure(options.folder)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="evals.petshop", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    converting = commands.add_parser("convert", help="turn a PetShop folder into cases")
    converting.add_argument("folder", type=Path)
    converting.add_argument("out", type=Path)
    converting.add_argument("--anonymise", type=int, metavar="SEED", help="call the nodes node-NN, shuffled")
    converting.add_argument("--drop-edges", type=float, default=0.0, metavar="P", help="lose this part of the calls")
    converting.add_argument("--drop-nodes", type=float, default=0.0, metavar="P", help="lose this part of the nodes")
    converting.add_argument("--drop-baseline", action="store_true", help="write no baseline")
    converting.add_argument("--no-pre", action="store_true", help="keep only rows that begin after the alarm")
    converting.add_argument("--seed", type=int, default=0, help="of what is lost")
    ranking = commands.add_parser("rank", help="print one JSON object a case")
    ranking.add_argument("out", type=Path)
    scoring = commands.add_parser("score", help="compare rankings with the truth")
    scoring.add_argument("out", type=Path)
    scoring.add_argument("rankings", type=Path, nargs="?", help="what `rank` printed; ranks again without it")
    measuring = commands.add_parser("measure", help="score a PetShop folder whole and in every degradation")
    measuring.add_argument("folder", type=Path)
    return parser


def _degradation(options: argparse.Namespace) -> Degradation:
    return Degradation(
        edges=options.drop_edges,
        nodes=options.drop_nodes,
        baseline=options.drop_baseline,
        before=options.no_pre,
        anonymise=options.anonymise,
        seed=options.seed,
    )


def _read(path: Path) -> list[Ranking]:
    lines = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return [Ranking(line["case"], tuple(line["ranking"])) for line in lines]


def _measure(folder: Path) -> None:
    degraded = []
    for name, result in measure(folder):
        print(f"{name:25} {result}", flush=True)
        if name != "plain" and result.top1 is not None:
            degraded.append(result.top1)
    if degraded:
        print(f"{'mean of the degradations':25} top-1 {fmean(degraded):.3f}")


if __name__ == "__main__":
    sys.exit(main())
