"""Provenance of a run as tables: budget, trainings, data and inputs."""

from collections.abc import Mapping

import pandas as pd


def budget(record: Mapping) -> pd.DataFrame:
    (leaves,) = pd.json_normalize(record["budget"]).to_dict("records")
    rows = [
        (key, "null" if value is None else str(value))
        for key, value in sorted(leaves.items())
        if not str(key).endswith((".title", ".where"))
    ]
    return pd.DataFrame(rows, columns=["Key", "Value"])


def training(record: Mapping) -> pd.DataFrame:
    rows = [
        {
            "Model": m["model"],
            "Seed": m["seed"],
            "Parameters": f"{m['parameters']:,}",
            "Steps": f"{m['steps']:,}",
            "Seconds": f"{m['training_seconds']:,.0f}",
            "Round trip": f"{m['round_trip_error']:.1e}" if "round_trip_error" in m else "–",
            "Device": m["device"],
        }
        for m in record["models"]
    ]
    return pd.DataFrame(rows)


def data(record: Mapping) -> pd.DataFrame:
    rows = [
        {
            "Subset": part["subset"],
            "Split": part["split"],
            "Images": f"{part['images']:,}",
            "Of": f"{part['of_images']:,}",
            "Source": _source(part["source"]),
        }
        for part in _parts(record)
    ]
    return pd.DataFrame(rows)


def inputs(record: Mapping) -> pd.DataFrame:
    """Files that were read, then the images that were cut out of them, each with its SHA-256."""
    parts = _parts(record)
    files = {f["name"]: f["sha256"] for part in parts for f in part["source"]["files"]}
    images = {
        f"images of {part['subset']}, {part['split']}": part["content_sha256"] for part in parts
    }
    return pd.DataFrame((files | images).items(), columns=["Input", "SHA-256"])


def _parts(record: Mapping) -> list[Mapping]:
    return [*record["data"], *record.get("further", [])]


def _source(source: Mapping) -> str:
    if "missing" in source:
        return f"not available: {source['missing']}"
    made = f"{source['made']}, made of {source['of']}; " if "made" in source else ""
    if source["stand_in"]:
        return f"{made}stand-in: {source['description']}"
    files = ", ".join(f"{file['name']} ({file['sha256'][:12]})" for file in source["files"])
    return f"{made}{source['kind']}: {files}"
