"""Runs the real AWS CLI many times, quickly: imported once, forked for each command line. Line by line, JSON both ways.

What `bin/aws` does is `sys.exit(awscli.clidriver.main())`; so does each child, with its own descriptors 0, 1 and 2.
"""

import gc
import json
import os
import sys
import tempfile
from pathlib import Path

import awscli.clidriver  # first: it makes `botocore` mean its own

from tests.support.botocore_models import kept_models


def run(words: list[str], stdin: str, env: dict[str, str]) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("stdin", "stdout", "stderr")]
        files[0].write_text(stdin)
        child = os.fork()
        if child == 0:
            os.environ.update(env)
            _become(words, files)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return {"code": code, "out": files[1].read_text(), "err": files[2].read_text()}


def _become(words: list[str], files: list[Path]) -> None:
    code = 70
    try:
        for number, file in enumerate(files):
            flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT
            os.dup2(os.open(file, flags), number)
        sys.argv = ["aws", *words]
        code = awscli.clidriver.main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    for owner, name, function in kept_models():
        setattr(owner, name, function)
    driver = awscli.clidriver.create_clidriver()  # loads what every call would load again
    driver.session.create_client("amplifyuibuilder", "eu-west-1")
    for kind in ("paginators-1", "waiters-2"):
        driver.session.get_component("data_loader").list_available_services(kind)
    gc.collect()
    gc.freeze()  # a collection in a child would touch, and so copy, all that is loaded
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        call = json.loads(line)
        answers.write(json.dumps(run(call["words"], call["stdin"], call["env"])) + "\n")
        answers.flush()
