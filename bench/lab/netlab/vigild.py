"""vigild takes keepalived's files and options."""
import os
import pathlib

from .keepalived import Keepalived

TOP = pathlib.Path(__file__).resolve().parents[3]


class Vigild(Keepalived):
    kind = "vigild"

    @staticmethod
    def configuration_text(virtual_routers):
        has_rules = any(router.virtual_mac == "nftables" for router in virtual_routers)
        return ("global_defs {\n    vmac_mode nftables\n}\n" if has_rules else "") + Keepalived.configuration_text(virtual_routers)

    @classmethod
    def program(cls):
        """VIGILD names the program; else it is looked for in the build directory."""
        build = pathlib.Path(os.environ.get("VIGIL_BUILD", TOP / "build"))
        path = os.environ.get("VIGILD") or str(build / "bin" / "vigild")
        return path if os.access(path, os.X_OK) else None

    @classmethod
    def why_not(cls, virtual_router=None):
        return None if cls.program() else "vigild is not built (set VIGILD to its path, or build it: cmake --build build)"
