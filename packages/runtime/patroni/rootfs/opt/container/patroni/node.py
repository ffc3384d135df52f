"""The Patroni of this node, from before it has a configuration: loads it once, makes the configuration and looks at the cluster in
a copy of itself, and runs it when it is told to.

To load Patroni takes longer than all else before it runs, so it is done once, while the container gathers the settings. The copy
knows the secrets, and leaves nothing behind: no connection, no thread. If it is never told to, the container ends, and it too.
Needs the pipe that it is asked by, the one it answers by, and Patroni's arguments, of which the first is the configuration file.
"""

import os
import sys
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cluster
import configuration
import launch

GO = b"g"


def read_lists(pipe, count):
    """Gives so many lists of texts: the length of each stands before it, and a zero byte after everything."""
    rest = b""

    def field():
        nonlocal rest
        while b"\0" not in rest:
            more = pipe.read1(65536)
            if not more:
                raise EOFError
            rest += more
        found, _, rest = rest.partition(b"\0")
        return os.fsdecode(found)

    return [[field() for _ in range(int(field()))] for _ in range(count)]


def prepare(asked, file):
    """Makes the configuration and looks at the cluster as configuration.py and cluster.py do; gives the status."""
    with os.fdopen(asked, "rb") as pipe:
        environment, settings, look = read_lists(pipe, 3)
    os.environ.clear()
    os.environ.update(entry.split("=", 1) for entry in environment)
    status = configuration.main(settings, file, os.path.join(os.path.dirname(file), "roles"))
    sys.stdout.flush()
    return status or cluster.main(file, *look)


def answer(asked, answers, file):
    """Does all of it in the copy, and says in its last line how it ended."""
    status = 1
    try:
        os.dup2(answers, sys.stdout.fileno())
        status = prepare(asked, file)
        print(f"exit\t{status}", flush=True)
    except (EOFError, BrokenPipeError):
        # Whoever asked is gone.
        pass
    except BaseException:
        traceback.print_exc()
    os._exit(status)


def main():
    asked, answers = int(sys.argv[1]), int(sys.argv[2])
    copy = os.fork()
    if copy == 0:
        answer(asked, answers, sys.argv[3])
    os.close(answers)
    os.waitpid(copy, 0)
    if os.read(asked, 1) != GO:
        return
    os.close(asked)
    sys.argv[1:3] = []
    launch.run()


if __name__ == "__main__":
    main()
