/// virtual_server: from its block to a VirtualServer and a ServerDraft. What real servers and checkers inherit may stand above or below them, so
/// a block is gone through twice: first what the service says itself, then its real servers, which find every default already there. What needs
/// the rest of the file (groups, other services, global defaults) is left to validate_servers().

#include <algorithm>
#include <bit>

#include "config/handler_table.h"
#include "config/interpreter.h"
#include "config/keyword_rows.h"
#include "config/suggestion.h"
#include "config/values.h"
#include "config/words.h"

namespace vigil::config {

namespace {

constexpr std::uint32_t default_persistence = 360;   // seconds, of IPVS

struct Target {
    Context& context;
    VirtualServer& service;
    ServerDraft& draft;
};
using Handler = void (*)(Target&, const Node&);

std::uint32_t number_of(const Node& node) { return static_cast<std::uint32_t>(read_number(node.word(1))->value); }
Nanoseconds seconds_of(const Node& node) { return std::chrono::microseconds{read_seconds(node.word(1))->value}; }
bool flag_of(const Node& node) { return node.word_count() < 2 || read_boolean(node.word(1)).value_or(true); }

constexpr std::string_view scheduler_names[] = {"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "mh", "dh", "fo", "ovf", "sed", "nq", "twos"};
static_assert(std::size(scheduler_names) == static_cast<std::size_t>(Scheduler::count));

void read_scheduler(Target& target, const Node& node) {
    for (std::size_t i = 0; i < std::size(scheduler_names); ++i) {
        if (scheduler_names[i] == node.word(1)) target.service.scheduler = static_cast<Scheduler>(i);
    }
    target.draft.place(ServerPlace::scheduler) = node.where();
}

void read_lb_kind(Target& target, const Node& node) {
    const auto forwarding = read_forwarding(target.context, node);
    if (forwarding) target.service.forwarding = *forwarding;
    target.draft.place(ServerPlace::forwarding) = node.where();   // also of a wrong one: it has been said
}

void read_protocol(Target& target, const Node& node) {
    std::string word(node.word(1));
    std::transform(word.begin(), word.end(), word.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    target.draft.place(ServerPlace::protocol) = node.where();
    for (const Protocol protocol : {Protocol::tcp, Protocol::udp, Protocol::sctp}) {
        if (name_of(protocol) == word) {
            target.service.protocol = protocol;
            return;
        }
    }
    Suggester suggester(word);
    for (const std::string_view known : {"TCP", "UDP", "SCTP"}) suggester.consider(known);
    target.draft.place(ServerPlace::protocol) = {};
    target.context.reporter.error(node.line(), node.word(1), "'protocol' expects one of TCP UDP SCTP, not " + in_quotes(node.word(1)) + ": ignored",
                                  suggester.best().empty() ? "" : "did you mean " + in_quotes(suggester.best()) + "?");
}

void read_persistence(Target& target, const Node& node) {
    target.service.persistence.timeout = node.word_count() < 2 ? default_persistence : number_of(node);
    target.draft.place(ServerPlace::persistence) = node.where();
}

/// A netmask without holes as its length.
std::optional<std::uint8_t> mask_length(std::string_view word) {
    const auto mask = read_address(word);
    if (!mask || mask->family != Family::ipv4) return std::nullopt;
    const auto& o = mask->octets;
    const std::uint32_t bits = static_cast<std::uint32_t>(o[0]) << 24 | static_cast<std::uint32_t>(o[1]) << 16 | static_cast<std::uint32_t>(o[2]) << 8 | o[3];
    const int length = std::countl_one(bits);
    if (length == 0 || (length < 32 && bits << length != 0)) return std::nullopt;
    return static_cast<std::uint8_t>(length);
}

void read_granularity(Target& target, const Node& node) {
    const std::string_view word = node.word(1);
    const bool is_mask = word.find('.') != std::string_view::npos;
    const auto number = read_number(word);
    const auto mask = mask_length(word);
    if (is_mask ? !mask : !number || number->has_trailing || number->value < 1 || number->value > 128) {
        target.context.reporter.error(node.line(), word, "'persistence_granularity' expects a netmask for IPv4, 1 to 128 for IPv6, not " + in_quotes(word) + ": ignored",
                                      "255.255.255.0 and 64 are usual");
        return;
    }
    target.service.persistence.granularity = is_mask ? *mask : static_cast<std::uint8_t>(number->value);
    target.draft.granularity_family = is_mask ? Family::ipv4 : Family::ipv6;
    target.draft.place(ServerPlace::granularity) = node.where(1);
}

void read_engine(Target& target, const Node& node) {
    constexpr std::size_t longest = 15;   // IP_VS_PENAME_MAXLEN without its zero
    if (node.word(1).size() <= longest) target.service.persistence.engine = target.context.texts.intern(node.word(1));
    else target.context.reporter.error(node.line(), node.word(1), "'persistence_engine' is a name of at most 15 octets: ignored", "the kernel has one, sip");
}

void read_sorry_server(Target& target, const Node& node) {
    if (target.service.sorry_server) {
        target.context.reporter.warning(node.line(), node.word(0), "there is a sorry_server on line " + std::to_string(target.service.sorry_server->where.line) +
                                        " already: this one is used");
    }
    SorryServer server;
    server.address = *read_endpoint_address(node.word(1));
    if (node.word_count() > 2) server.port = static_cast<std::uint16_t>(read_number(node.word(2))->value);
    server.where = node.where(1);
    target.service.sorry_server = server;
}

void read_sorry_forwarding(Target& target, const Node& node) {
    target.draft.sorry_forwarding = read_forwarding(target.context, node);
    target.draft.place(ServerPlace::sorry_forwarding) = node.where();
}

void read_quorum_script(Target& target, std::optional<NotifyScript>& script, const Node& node) {
    if (script) {
        target.context.reporter.error(node.line(), node.word(0),
                                      in_quotes(node.word(0)) + " was given on line " + std::to_string(script->where.line) + " already: this one is ignored");
        return;
    }
    script = read_command(target.context, node);
}

void mark(Target& target, bool& flag, ServerPlace place, const Node& node) {
    flag = true;
    target.draft.place(place) = node.where();
}

constexpr HandlerTable<Handler>::Row handler_rows[] = {
    {"lb_algo", read_scheduler},
    {"lvs_sched", read_scheduler},
    {"lb_kind", read_lb_kind},
    {"lvs_method", read_lb_kind},
    {"persistence_timeout", read_persistence},
    {"persistence_granularity", read_granularity},
    {"persistence_engine", read_engine},
    {"protocol", read_protocol},
    {"ip_family", [](Target& t, const Node& n) { t.draft.family = n.word(1) == "inet6" ? Family::ipv6 : Family::ipv4; t.draft.place(ServerPlace::family) = n.where(); }},
    {"sorry_server", read_sorry_server},
    {"sorry_server_inhibit", [](Target& t, const Node& n) { mark(t, t.draft.has_sorry_inhibit, ServerPlace::sorry_inhibit, n); }},
    {"sorry_server_lvs_method", read_sorry_forwarding},
    {"weight", [](Target& t, const Node& n) { t.service.weight = static_cast<std::int32_t>(number_of(n)); }},
    {"inhibit_on_failure", [](Target& t, const Node&) { t.draft.inhibit_on_failure = true; }},
    {"omega", [](Target& t, const Node&) { t.service.omega = true; }},
    {"quorum", [](Target& t, const Node& n) { t.service.quorum = number_of(n); t.draft.place(ServerPlace::quorum) = n.where(1); }},
    {"hysteresis", [](Target& t, const Node& n) { t.service.hysteresis = number_of(n); t.draft.place(ServerPlace::hysteresis) = n.where(1); }},
    {"quorum_up", [](Target& t, const Node& n) { read_quorum_script(t, t.service.quorum_up, n); }},
    {"quorum_down", [](Target& t, const Node& n) { read_quorum_script(t, t.service.quorum_down, n); }},
    {"ha_suspend", [](Target& t, const Node& n) { mark(t, t.service.ha_suspend, ServerPlace::ha_suspend, n); }},
    {"smtp_alert", [](Target& t, const Node& n) { t.draft.smtp_alert = flag_of(n); }},
    {"snmp_name", [](Target& t, const Node& n) { t.service.snmp_name = t.context.texts.intern(n.word(1)); }},
    {"ops", [](Target& t, const Node& n) { mark(t, t.service.one_packet, ServerPlace::ops, n); }},
    {"hashed", [](Target&, const Node&) {}},   // the kernel always hashes
    {"flag-1", [](Target& t, const Node&) { t.service.flag_1 = true; }},
    {"flag-2", [](Target& t, const Node&) { t.service.flag_2 = true; }},
    {"flag-3", [](Target& t, const Node&) { t.service.flag_3 = true; }},
    {"sh-port", [](Target& t, const Node& n) { mark(t, t.draft.sh_port, ServerPlace::sh_flag, n); }},
    {"sh-fallback", [](Target& t, const Node& n) { mark(t, t.draft.sh_fallback, ServerPlace::sh_flag, n); }},
    {"mh-port", [](Target& t, const Node& n) { mark(t, t.draft.mh_port, ServerPlace::mh_flag, n); }},
    {"mh-fallback", [](Target& t, const Node& n) { mark(t, t.draft.mh_fallback, ServerPlace::mh_flag, n); }},
};

/// What stands behind virtual_server. The argument was checked.
void read_service(Target& target, const Node& block) {
    VirtualServer& service = target.service;
    const std::string_view word = block.word(1);
    service.where = block.where(1);
    if (word == "group") {
        service.kind = ServiceKind::group;
        service.where = block.where(2);
        target.draft.group = target.context.texts.intern(block.word(2));
    } else if (word == "fwmark") {
        service.kind = ServiceKind::mark;
        const std::int64_t number = *read_based_number(block.word(2));
        service.mark = number < 0 || number > 0xffffffff ? 0 : static_cast<std::uint32_t>(number);
    } else {
        service.address = *read_endpoint_address(word);
        service.family = service.address.family;
        if (block.word_count() > 2) service.port = static_cast<std::uint16_t>(read_number(block.word(2))->value);
    }
}

}  // namespace

bool read_check_default(Context& context, CheckDefaults& defaults, const Node& node) {
    const std::string_view name = node.statement().keyword->name;
    if (name == "delay_loop") defaults.delay_loop = seconds_of(node);
    else if (name == "retry") defaults.retry = number_of(node);
    else if (name == "delay_before_retry") defaults.delay_before_retry = seconds_of(node);
    else if (name == "warmup") defaults.warmup = seconds_of(node);
    else if (name == "connect_timeout") defaults.connect_timeout = seconds_of(node);
    else if (name == "alpha") defaults.alpha = flag_of(node);
    else if (name == "virtualhost") defaults.virtualhost = context.texts.intern(node.word(1));
    else return false;
    return true;
}

void CheckDefaults::inherit(const CheckDefaults& outer) {
    if (!retry) retry = outer.retry;
    if (!delay_before_retry) delay_before_retry = outer.delay_before_retry;
    if (!warmup) warmup = outer.warmup;
    if (!connect_timeout) connect_timeout = outer.connect_timeout;
    if (!delay_loop) delay_loop = outer.delay_loop;
    if (!alpha) alpha = outer.alpha;
    if (virtualhost.empty()) virtualhost = outer.virtualhost;
}

void read_virtual_server(Context& context, const Node& block) {
    static const HandlerTable<Handler> handlers(rows::virtual_server_keywords(), handler_rows);
    VirtualServer service;
    ServerDraft draft;
    Target target{context, service, draft};
    read_service(target, block);
    block.for_each_child([&](const Node& node) {
        if (node.statement().is_deaf || node.statement().keyword->child == BlockId::real_server) return;
        const Handler handler = handlers.find(node.statement().keyword);
        const bool is_good = check_arguments(context.reporter, node);
        if (!is_good && handler == read_scheduler) draft.place(ServerPlace::scheduler) = node.where();   // a wrong one is not a missing one
        if (is_good && !read_check_default(context, draft.defaults, node) && handler != nullptr) handler(target, node);
    });
    service.alpha = draft.defaults.alpha.value_or(false);
    block.for_each_child([&](const Node& node) {
        if (node.statement().keyword->child != BlockId::real_server) return;
        if (node.statement().is_deaf || !check_arguments(context.reporter, node)) check_block(context.reporter, node);
        else read_real_server(context, service, draft, node);
    });
    context.configuration.virtual_servers.push_back(std::move(service));
    context.servers.drafts.push_back(std::move(draft));
}

std::string_view name_of(Scheduler scheduler) { return scheduler_names[static_cast<std::size_t>(scheduler)]; }

std::string_view name_of(Protocol protocol) {
    switch (protocol) {
        case Protocol::none: return "";
        case Protocol::tcp: return "TCP";
        case Protocol::udp: return "UDP";
        case Protocol::sctp: return "SCTP";
    }
    return "";
}

}  // namespace vigil::config
