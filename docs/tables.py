"""Writes the tables of the documents from the result files in `docs/results/`.

    python docs/tables.py           # writes them
    python docs/tables.py --check   # says what differs or has no source; writes nothing

A result file is JSON, one a measurement: `measures` (a sentence), `commands`, `date`, `machine`, `recorded_in` (the commit that brought
the figures), and `tables` and `figures` by name. After a new run write its figures there, with date and commit. In a page

    <!-- table: FILE NAME -->
    ...
    <!-- end -->

is replaced by table NAME of docs/results/FILE.json. A number below 1 is written without its zero, several in a list with
strokes between. `<!-- figures: FILE ... -->` above a paragraph says where its figures stand. Figures that were not measured (limits, settings,
formulas) say so: `<!-- not measured -->` above the table or paragraph.
"""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parent
KEYS = {"measures": str, "commands": list, "date": str, "machine": str, "recorded_in": str}
DECIMAL = re.compile(r"(?<![\w.])(?<![A-Za-z]-)[-−]?\d*\.\d+(?![\w.]*\d)")
UNIT = re.compile(r"(?<![\w.])\d[\d,]* ?(?:%|[KMG]iB|[kMG]B|ms|s|um)(?!\w)")
# Where prose has its figures traced as well.
PROSE = ("README.md", "docs/")
# Pages that are being written.
LATER = ("docs/report.md", "docs/wafer.md")


@dataclass(frozen=True)
class Literal:
    """A number as it is written in a result file: .910 does not become .91."""

    text: str


def pages() -> list[Path]:
    return [DOCS.parent / "README.md", *sorted(DOCS.rglob("*.md"))]


def read_results() -> dict[str, dict]:
    results = {}
    for path in sorted((DOCS / "results").glob("*.json")):
        result = json.loads(path.read_text(), parse_float=Literal, parse_int=Literal)
        for key, kind in KEYS.items():
            if not result.get(key) or not isinstance(result[key], kind):
                raise SystemExit(f"{path}: {key}: {kind.__name__} expected, found {result.get(key)!r}")
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", result["date"]):
            raise SystemExit(f"{path}: date: year-month-day expected, found {result['date']}")
        results[path.stem] = result
    return results


def cell(value) -> str:
    if isinstance(value, list):
        return " / ".join(map(cell, value))
    if isinstance(value, Literal):
        return re.sub(r"^(-?)0\.", r"\1.", value.text)
    return "" if value is None else value


def table(result: dict, name: str) -> str:
    content = result["tables"][name]
    for row in content["rows"]:
        if len(row) != len(content["columns"]):
            raise SystemExit(f"table {name}: {len(content['columns'])} columns, but {len(row)} cells in {row}")
    lines = [content["columns"], ["---"] * len(content["columns"]), *content["rows"]]
    written = ["|" + "|".join(f" {cell(value)} " if value != "---" else value for value in line) + "|" for line in lines]
    return "\n".join(re.sub(r"\|  (?=\|)", "| ", line) for line in written)


def numbers(value) -> set[float]:
    """Every number in a result file, those in texts too."""
    if isinstance(value, Literal):
        return {abs(float(value.text))}
    if isinstance(value, dict):
        value = [*value.values()]
    if isinstance(value, list):
        return set().union(*map(numbers, value)) if value else set()
    return {float(found) for found in re.findall(r"\d*\.?\d+", value.replace(",", ""))} if isinstance(value, str) else set()


def figures(text: str) -> set[str]:
    return {found.lstrip("-−") for found in DECIMAL.findall(text)}


def known(figure: str, sources: set[float]) -> bool:
    """Whether a source has it, a number that rounds to it, or the same as a share for a percentage."""
    half = 0.5 * 10.0 ** -len(figure.partition(".")[2]) * (1 + 1e-9)
    return any(abs(source * scale - float(figure)) <= half for source in sources for scale in (1, 100))


MARK = re.compile(r"<!-- table: (\S+) (\S+) -->\n(.*?)\n*<!-- end -->", re.DOTALL)


def written(text: str, results: dict[str, dict]) -> str:
    """A page with its tables as the result files have them."""

    def fill(found: re.Match) -> str:
        name, which = found.group(1), found.group(2)
        if which not in results.get(name, {}).get("tables", {}):
            raise SystemExit(f"docs/results/{name}.json has no table {which}")
        return f"<!-- table: {name} {which} -->\n{table(results[name], which)}\n\n<!-- end -->"

    return MARK.sub(fill, text)


def plain(text: str) -> str:
    """Without code, links and versions of licences, whose figures are none."""
    return re.sub(r"`[^`\n]*`|\]\([^)]*\)|https?://\S+|CC [A-Z-]+ \d\.\d", " ", text)


def measured(text: str) -> bool:
    text = plain(text)
    return bool(DECIMAL.search(text) or UNIT.search(text))


def untraced(page: str, text: str, results: dict[str, dict]) -> list[str]:
    """Tables, and paragraphs of the pages in `PROSE`, whose figures have no source."""
    faults = []
    text = re.sub(r"^```.*?^```", "", MARK.sub("", text), flags=re.DOTALL | re.MULTILINE)
    mark = None
    for block in re.split(r"\n\s*\n", text):
        marks = re.findall(r"^<!-- (not measured|figures: [^>]*) -->$", block, re.MULTILINE)
        content = re.sub(r"^<!--.*?-->\n?", "", block, flags=re.MULTILINE).strip("\n")
        mark = marks[-1] if marks else mark
        if not content:
            continue
        is_table = re.search(r"^\|[-| :]+\|$", content, re.MULTILINE)
        first = content.splitlines()[0][:80]
        if is_table and measured(content) and mark != "not measured":
            faults.append(f"{page}: a table with figures and no result file: {first}")
        elif page.startswith(PROSE) and page not in LATER and not is_table and mark != "not measured" and not content.startswith(("#", "    ", "!")):
            names = mark.removeprefix("figures: ").split() if mark else []
            missing = [name for name in names if name not in results]
            sources = set().union(*(numbers(results[name]) for name in names if name in results)) if names else set()
            lacking = sorted(figure for figure in figures(plain(content)) if not known(figure, sources))
            faults += [f"{page}: no result file {name}" for name in missing]
            if lacking:
                faults.append(f"{page}: no source of {', '.join(lacking)} ({' '.join(names) or 'no result file named'}): {first}")
        mark = None
    return faults


def faults(results: dict[str, dict]) -> list[str]:
    found, used = [], set()
    for path in pages():
        page = str(path.relative_to(DOCS.parent))
        text = path.read_text()
        if written(text, results) != text:
            found.append(f"{page}: tables differ from docs/results; `python docs/tables.py` writes them")
        used |= {match.group(1, 2) for match in MARK.finditer(text)}
        found += untraced(page, text, results)
    for name, result in results.items():
        unused = sorted(set(result.get("tables", {})) - {which for file, which in used if file == name})
        if unused:
            found.append(f"docs/results/{name}.json: no page has {', '.join(unused)}")
    return found


def main() -> None:
    results = read_results()
    if sys.argv[1:] == ["--check"]:
        found = faults(results)
        for fault in found:
            print(fault)
        sys.exit(bool(found))
    if sys.argv[1:]:
        sys.exit(__doc__)
    for path in pages():
        text = path.read_text()
        new = written(text, results)
        if new != text:
            path.write_text(new)
            print(path.relative_to(DOCS.parent))


if __name__ == "__main__":
    main()
