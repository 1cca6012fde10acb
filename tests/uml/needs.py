"""Runs a test where the kernel has what it needs: here, else in a guest (guest.py), else nowhere, which is said."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench" / "lab"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import guest  # noqa: E402
from netlab import sandbox  # noqa: E402
from netlab.netns import NetworkNamespace  # noqa: E402

IS_GUEST = "VIGIL_IS_GUEST"
# Kind of device -> how to make one beside the veth v0, what a kernel without it lacks, the guest's module.
DEVICES = {"vlan": ("link add link v0 name x type vlan id 5", "CONFIG_VLAN_8021Q", "8021q"),
           "vrf": ("link add x type vrf table 10", "CONFIG_NET_VRF", "vrf"),
           "bond": ("link add x type bond mode active-backup", "CONFIG_BONDING", "bonding"),
           "dummy": ("link add x type dummy", "CONFIG_DUMMY", "dummy"),
           "ipvlan": ("link add link v0 name x type ipvlan mode l2", "CONFIG_IPVLAN", "ipvlan"),
           "macvlan": ("link add link v0 name x type macvlan", "CONFIG_MACVLAN", "macvlan")}
GUEST_MODULES = ["veth", "bridge", "macvlan", "af_packet", "nf_tables", *sorted({module for _, _, module in DEVICES.values()})]


def lacks(kinds):
    """Those kinds of device that this kernel has not."""
    lacking = []
    for kind in kinds:
        namespace = NetworkNamespace("probe")
        try:
            namespace.ip("link add v0 type veth peer name v1", DEVICES[kind][0])
        except RuntimeError:
            lacking.append(kind)
        finally:
            namespace.close()
    return lacking


def run(kinds, main, environment=(), seconds=500):
    """Exit status of main(), run here or, by running this program again, in a guest. `environment`: names of variables that it needs there."""
    why_not = sandbox.why_not()
    if why_not:
        print(f"skipped: {why_not}")
        return sandbox.SKIPPED
    lacking = lacks(kinds)
    if not lacking:
        return main()
    what = ", ".join(f"{kind} ({DEVICES[kind][1]})" for kind in lacking)
    if os.environ.get(IS_GUEST):
        print(f"skipped: the guest's kernel has no {what}")
        return sandbox.SKIPPED
    if guest.why_not():
        print(f"skipped: this kernel has no {what}, and {guest.why_not()}")
        return sandbox.SKIPPED
    print(f"this kernel has no {what}: running in user-mode Linux", flush=True)
    passed_on = {name: os.environ[name] for name in environment if name in os.environ}
    return guest.run([sys.executable, *map(os.path.abspath, sys.argv[:1]), *sys.argv[1:]], GUEST_MODULES, passed_on | {IS_GUEST: "1"}, seconds)


def run_and_exit(kinds, main, environment=()):
    status = run(kinds, main, environment)
    sys.stdout.flush()
    os._exit(status)
