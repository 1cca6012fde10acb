"""How large the load balancer is, and its configuration."""
import dataclasses
import functools
import ipaddress

SERVER_NETWORK = ipaddress.ip_network("10.64.0.0/10")    # the real servers
SILENT_NETWORK = ipaddress.ip_network("10.96.0.0/11")    # the part of it that can be made silent at once
SERVICE_NETWORK = ipaddress.ip_network("172.16.0.0/12")  # the virtual addresses
PORT = 80
CONNECT_TIMEOUT = 3
TIMES = f"            connect_timeout {CONNECT_TIMEOUT}\n            retry 1\n            delay_before_retry 1\n"
CHECKS = {
    "tcp": f"        TCP_CHECK {{\n{TIMES}        }}\n",
    "http": f"        HTTP_GET {{\n            url {{\n                path /\n                status_code 200\n            }}\n{TIMES}        }}\n",
}


@dataclasses.dataclass(frozen=True)
class Setting:
    services: int
    servers: int
    period: float
    check: str
    silent_percent: float

    @property
    def silent_servers(self):
        return round(self.servers * self.silent_percent / 100)

    def service_address(self, number):
        return str(SERVICE_NETWORK[1 + number])

    def server_address(self, number):
        """The silent ones are spread over all services."""
        step = self.servers // self.silent_servers if self.silent_servers else 0
        is_silent = step and number % step == 0 and number // step < self.silent_servers
        return str((SILENT_NETWORK if is_silent else SERVER_NETWORK)[1 + number])

    def share(self, service):
        """The numbers of its servers."""
        return range(service * self.servers // self.services, (service + 1) * self.servers // self.services)

    def configuration(self, extra=0):
        """`extra`: servers more in the last service."""
        lines = []
        for service in range(self.services):
            numbers = list(self.share(service))
            if service == self.services - 1:
                numbers += range(self.servers, self.servers + extra)
            lines += [f"virtual_server {self.service_address(service)} {PORT} {{", f"    delay_loop {self.period:g}", "    lb_algo wlc", "    lb_kind DR", "    protocol TCP"]
            lines += [f"    real_server {self.server_address(number)} {PORT} {{\n{CHECKS[self.check]}    }}" for number in numbers]
            lines += ["}"]
        return "\n".join(lines) + "\n"

    @functools.cache
    def whole_table(self):
        """The set of "service server", as /proc/net/ip_vs writes them."""
        def place(address):
            return "".join(f"{int(part):02X}" for part in address.split(".")) + f":{PORT:04X}"
        return frozenset(f"{place(self.service_address(service))} {place(self.server_address(number))}" for service in range(self.services) for number in self.share(service))
