// vigil-snmp: started by vigild, with its end of a socket pair at descriptor 3.

#include <csignal>
#include <cstdio>
#include <cstring>
#include <string_view>

#include <sys/socket.h>

#include "engine/snmp/agent.h"
#include "engine/snmp/codec.h"

namespace {

volatile std::sig_atomic_t should_end = 0;

extern "C" void end(int) { should_end = 1; }

constexpr int exit_usage = 2;
constexpr const char* usage =
    "vigil-snmp answers an AgentX master agent (snmpd) for vigild. vigild starts it where its configuration has enable_snmp_vrrp,\n"
    "enable_snmp_rfc, enable_snmp_rfcv2 or enable_snmp_rfcv3, or its command line --snmp; it is of no use by itself. See vigild(8).\n";

}  // namespace

int main(int argc, char** argv) {
    using namespace vigil::snmp;
    AgentSettings settings{.service = {}, .master = {}, .link = link_descriptor};
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--vrrp") settings.service.vrrp = true;
        else if (word == "--rfcv2") settings.service.rfc2787 = true;
        else if (word == "--rfcv3") settings.service.rfc6527 = true;
        else if (word == "--traps") settings.service.traps = true;
        else if (word.starts_with("--master=")) settings.master = word.substr(std::strlen("--master="));
        else settings.service = {}, i = argc;
    }
    int type = 0;
    socklen_t size = sizeof type;
    const bool has_link = ::getsockopt(link_descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
    if (!settings.service.is_on() || settings.master.empty() || !has_link) {
        std::fputs(usage, stderr);
        return exit_usage;
    }
    std::signal(SIGTERM, end);
    std::signal(SIGINT, SIG_IGN);   // of a terminal; vigild ends us
    std::signal(SIGPIPE, SIG_IGN);
    Agent(std::move(settings)).run(should_end);
    return 0;
}
