#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/server_pool.h"

/// What the readers of virtual servers share, and leave for validate_servers().
namespace vigil::config {

struct Context;
struct Node;

/// What a virtual server or a real server says for the checkers in it; absent: nothing.
struct CheckDefaults {
    std::optional<std::uint32_t> retry;
    std::optional<Nanoseconds> delay_before_retry;
    std::optional<Nanoseconds> warmup;
    std::optional<Nanoseconds> connect_timeout;
    std::optional<Nanoseconds> delay_loop;
    std::optional<bool> alpha;
    std::string_view virtualhost;

    /// Takes over from `outer` what is not said here.
    void inherit(const CheckDefaults& outer);
};

/// Keywords of a virtual server that validate_servers() may have to point at.
enum class ServerPlace : std::uint8_t {
    scheduler, forwarding, protocol, family, granularity, persistence, hysteresis, quorum, ops, ha_suspend, sh_flag, mh_flag, sorry_inhibit,
    sorry_forwarding, count
};

/// What a virtual server said itself, until all of the file was read.
struct ServerDraft {
    std::string_view group;
    std::optional<Family> family;              ///< ip_family
    std::optional<Family> granularity_family;
    std::optional<Forwarding> sorry_forwarding;
    bool has_sorry_inhibit = false;
    bool inhibit_on_failure = false;
    bool sh_port = false;
    bool sh_fallback = false;
    bool mh_port = false;
    bool mh_fallback = false;
    std::optional<bool> smtp_alert;
    CheckDefaults defaults;
    std::array<SourceLocation, static_cast<std::size_t>(ServerPlace::count)> places{};   ///< line 0: not written

    SourceLocation& place(ServerPlace place) { return places[static_cast<std::size_t>(place)]; }
    bool has(ServerPlace place) const { return places[static_cast<std::size_t>(place)].line != 0; }
};

struct ServerReading {
    ServerPool pool;
    std::vector<ServerDraft> drafts;   ///< one for each of Configuration::virtual_servers
    std::unordered_map<std::string_view, SourceLocation> group_names;   ///< also of those that cannot be used
    std::optional<std::uint8_t> sync_id;   ///< of lvs_sync_daemon
    std::optional<bool> smtp_alert;        ///< smtp_alert_checker
    bool log_all_failures = false;         ///< checker_log_all_failures
};

/// What a checker needs to know of the real server that it is in.
struct CheckedServer {
    const RealServer& server;
    std::uint16_t port = 0;            ///< as written, or the service's: where checks go
    const CheckDefaults& defaults;     ///< those of the virtual server are in them
};

/// server_group.cpp
void read_server_group(Context& context, const Node& block);
/// virtual_server.cpp
void read_virtual_server(Context& context, const Node& block);
/// virtual_server.cpp: the keywords that a virtual server and a real server share. False: it is none of them.
bool read_check_default(Context& context, CheckDefaults& defaults, const Node& node);
/// real_server.cpp: adds it, or says why not.
void read_real_server(Context& context, VirtualServer& service, const ServerDraft& draft, const Node& block);
/// forwarding.cpp: nullopt when it was reported.
std::optional<Forwarding> read_forwarding(Context& context, const Node& node);
/// checker.cpp: adds what the block asks for, or says why not.
void read_checker(Context& context, CheckerList& checkers, const CheckedServer& checked, const Node& block);
/// What HTTP_GET or SSL_GET says for its URLs.
struct HttpDraft {
    bool tls_compliant = false;
    SourceLocation sni;   ///< of enable_sni or sni_name; line 0: not written
};
/// http_check.cpp: a keyword that only these have.
void read_http_keyword(Context& context, HttpCheck& check, HttpDraft& draft, const Node& node);
/// http_check.cpp: its URLs. False: it cannot be used, and that has been said.
bool settle_http_check(Context& context, HttpCheck& check, const HttpDraft& draft, std::string_view virtualhost, const Node& block);
/// udp_check.cpp
void read_udp_keyword(Context& context, UdpCheck& check, const Node& node);
void settle_udp_check(Context& context, UdpCheck& check, const Node& block);
/// lvs_definitions.cpp: a keyword of global_defs, when it is one of those.
void read_lvs_keyword(Context& context, const Node& node);
/// lvs_definitions.cpp: net_namespace_ipvs.
void read_lvs_namespace(Context& context, const Node& node);
/// lvs_definitions.cpp: the SSL block.
void read_tls_client(Context& context, const Node& block);
/// lvs_definitions.cpp: lvs_sync_daemon against the usable instances, and the FIFO.
void validate_lvs_definitions(Context& context);
/// validate_servers.cpp: puts the rest of the defaults in, makes the cross checks, and drops what cannot be used.
void validate_servers(Context& context);
/// service_conflicts.cpp: the kernel has each service once, so of two usable ones that are the same, or have an address in common, the later one goes.
void drop_colliding_services(Context& context, std::vector<bool>& is_usable);


}  // namespace vigil::config
