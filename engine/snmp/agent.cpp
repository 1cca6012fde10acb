// The subagent: one thread, one loop over the sockets of net-snmp's library and the link to the VRRP process.
//
// A question of the master agent is answered from a tree of objects made of the last picture of the VRRP process. When that is out of date the VRRP process is asked
// for another one and waited for, but for less than the second after which a master agent gives a subagent up; if none comes in time the old one answers. How
// long a picture is good follows from how long it took to come, so that a manager that walks 65,280 instances does not keep the daemon drawing.
//
// Transitions arrive by themselves. As long as there is no master agent they wait, some thousands of them: at the start of a host snmpd comes up after the first
// elections, and its restart is a matter of seconds.
//
// net-snmp's library connects, pings and connects again by itself, every `reconnect_seconds`, and blocks meanwhile when the master agent hangs. That is why this is a
// process of its own.

#include "engine/snmp/agent.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include <net-snmp/agent/net-snmp-agent-includes.h>

#include <net-snmp/agent/agent_callbacks.h>

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "engine/snmp/codec.h"
#include "engine/snmp/tables.h"

namespace vigil::snmp {
namespace {

constexpr char name[] = "vigil-snmp";
constexpr int reconnect_seconds = 5;
constexpr std::chrono::milliseconds answer_patience{800};    // agentXTimeout of a master agent is 1 s
constexpr std::chrono::seconds asking_patience{5};
constexpr std::chrono::milliseconds least_freshness{1000};
constexpr int freshness_factor = 20;                         // drawing takes a twentieth of the time at most
constexpr std::chrono::milliseconds last_words{300};         // vigild has little patience at its end
constexpr std::size_t most_waiting = 10'000;
constexpr std::size_t most_at_once = 16;
constexpr long pace_microseconds = 2'000;                    // to look whether the master agent has read the last ones

Oid to_oid(const oid* numbers, std::size_t count) {
    Oid result(count);
    std::transform(numbers, numbers + count, result.begin(), [](oid number) { return static_cast<std::uint32_t>(number); });
    return result;
}

std::vector<oid> to_netsnmp(OidView numbers) { return {numbers.begin(), numbers.end()}; }

u_char asn_type(Type type) {
    switch (type) {
    case Type::integer: return ASN_INTEGER;
    case Type::gauge: return ASN_GAUGE;
    case Type::counter: return ASN_COUNTER;
    case Type::counter64: return ASN_COUNTER64;
    case Type::octets: return ASN_OCTET_STR;
    case Type::ip_address: return ASN_IPADDRESS;
    case Type::ticks: return ASN_TIMETICKS;
    }
    return ASN_NULL;
}

/// Calls `use` with the octets that net-snmp wants to see for the value.
template <typename Use>
void with_octets(const Value& value, Use use) {
    if (const auto* text = std::get_if<std::string>(&value.content)) return use(text->data(), text->size());
    const std::int64_t number = std::get<std::int64_t>(value.content);
    if (value.type == Type::counter64) {
        counter64 both{};
        both.high = static_cast<u_long>(static_cast<std::uint64_t>(number) >> 32);
        both.low = static_cast<u_long>(static_cast<std::uint64_t>(number) & 0xffffffff);
        return use(&both, sizeof both);
    }
    const long one = static_cast<long>(number);
    use(&one, sizeof one);
}

void set_value(netsnmp_variable_list* variable, const Value& value) {
    with_octets(value, [&](const void* octets, std::size_t size) { snmp_set_var_typed_value(variable, asn_type(value.type), octets, size); });
}

void answer_get(const ObjectTree& tree, netsnmp_agent_request_info* info, netsnmp_request_info* request) {
    const auto value = tree.get(to_oid(request->requestvb->name, request->requestvb->name_length));
    if (value) set_value(request->requestvb, *value);
    else netsnmp_set_request_error(info, request, SNMP_NOSUCHINSTANCE);
}

/// Without an answer net-snmp goes on to what is registered behind us.
void answer_next(const ObjectTree& tree, const netsnmp_handler_registration& registration, netsnmp_request_info* request) {
    const Oid wanted = to_oid(request->requestvb->name, request->requestvb->name_length);
    if (request->inclusive != 0) {
        if (const auto value = tree.get(wanted)) return set_value(request->requestvb, *value);
    }
    const auto found = tree.next(wanted);
    if (!found) return;
    const Oid root = to_oid(registration.rootoid, registration.rootoid_len);
    if (found->first.size() < root.size() || !std::equal(root.begin(), root.end(), found->first.begin())) return;
    const std::vector<oid> numbers = to_netsnmp(found->first);
    snmp_set_var_objid(request->requestvb, numbers.data(), numbers.size());
    set_value(request->requestvb, found->second);
}

extern "C" int handle_requests(netsnmp_mib_handler* handler, netsnmp_handler_registration* registration, netsnmp_agent_request_info* info, netsnmp_request_info* requests) {
    const ObjectTree& tree = static_cast<Agent*>(handler->myvoid)->tree();
    for (netsnmp_request_info* request = requests; request != nullptr; request = request->next) {
        if (request->processed != 0) continue;
        if (info->mode == MODE_GET) answer_get(tree, info, request);
        else if (info->mode == MODE_GETNEXT) answer_next(tree, *registration, request);
    }
    return SNMP_ERR_NOERROR;
}

extern "C" int handle_connection(int, int minor, void*, void* agent) {
    static_cast<Agent*>(agent)->on_connection(minor == SNMPD_CALLBACK_INDEX_START);
    return SNMP_ERR_NOERROR;
}

extern "C" int handle_log(int, int, void* server, void* agent) {
    const auto* line = static_cast<const snmp_log_message*>(server);
    if (line->priority > LOG_WARNING) return SNMP_ERR_NOERROR;   // what it says beside errors, on_connection() says
    std::string_view text = line->msg;
    while (text.ends_with('\n')) text.remove_suffix(1);
    static_cast<const Agent*>(agent)->log(true, text);
    return SNMP_ERR_NOERROR;
}

void send_notification(const Notification& notification) {
    constexpr std::array<oid, 11> trap_oid{1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0};
    netsnmp_variable_list* variables = nullptr;
    const std::vector<oid> which = to_netsnmp(notification.oid);
    snmp_varlist_add_variable(&variables, trap_oid.data(), trap_oid.size(), ASN_OBJECT_ID, which.data(), which.size() * sizeof(oid));
    for (const auto& [number, value] : notification.objects) {
        const std::vector<oid> place = to_netsnmp(number);
        with_octets(value, [&, type = asn_type(value.type)](const void* octets, std::size_t size) {
            snmp_varlist_add_variable(&variables, place.data(), place.size(), type, octets, size);
        });
    }
    send_v2trap(variables);
    snmp_free_varbind(variables);
}

}  // namespace

Agent::~Agent() { snmp_shutdown(name); }

void Agent::begin() {
    ::setenv("MIBS", "", 1);   // numbers are enough
    snmp_disable_log();
    snmp_enable_calllog();
    snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, handle_log, this);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_ROLE, 1);
    netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, settings_.master.c_str());
    netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_PING_INTERVAL, reconnect_seconds);
    netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_NO_CONNECTION_WARNINGS, 1);
    snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_START, handle_connection, this);
    snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_STOP, handle_connection, this);
    init_agent(name);
    if (settings_.service.vrrp) {
        register_tree(keepalived_root + Oid{1});
        register_tree(keepalived_root + Oid{2});
    }
    if (settings_.service.rfc2787) register_tree(rfc2787_root);
    if (settings_.service.rfc6527) register_tree(rfc6527_root);
    init_snmp(name);
    if (!is_connected_) log(true, "there is no AgentX master agent at " + settings_.master + "; trying again every " + std::to_string(reconnect_seconds) + " s");
}

void Agent::register_tree(const Oid& root) {
    const std::vector<oid> numbers = to_netsnmp(root);
    netsnmp_handler_registration* registration = netsnmp_create_handler_registration(name, handle_requests, numbers.data(), numbers.size(), HANDLER_CAN_RONLY);
    if (registration == nullptr) return log(true, "out of memory");
    registration->handler->myvoid = this;
    if (netsnmp_register_handler(registration) != MIB_REGISTERED_OK) log(true, "cannot register its objects");
}

void Agent::run(const volatile int& should_end) {
    begin();
    while (!is_link_closed_ && should_end == 0) {
        wait();
        send_notifications(most_at_once);
    }
    while (!is_link_closed_ && wait_for_link(std::chrono::milliseconds{0})) read_link();
    for (const auto end = Clock::now() + last_words; is_connected_ && !transitions_.empty() && Clock::now() < end;) {
        wait();
        send_notifications(most_at_once);
    }
}

void Agent::wait() {
    fd_set readable;
    FD_ZERO(&readable);
    if (!is_link_closed_) FD_SET(settings_.link, &readable);
    int count = settings_.link + 1;
    int is_unbounded = 1;
    timeval patience{0, 0};
    snmp_select_info(&count, &readable, &patience, &is_unbounded);
    const bool is_telling = !transitions_.empty() && is_connected_;
    if (is_telling) patience = {0, pace_microseconds};
    const int ready = ::select(count, &readable, nullptr, nullptr, is_unbounded != 0 && !is_telling ? nullptr : &patience);
    if (ready < 0) return;   // a signal
    if (ready > 0 && FD_ISSET(settings_.link, &readable)) {
        FD_CLR(settings_.link, &readable);
        read_link();
    }
    if (ready > 0) snmp_read(&readable);
    else snmp_timeout();
    run_alarms();
    netsnmp_check_outstanding_agent_requests();
}

// --- the VRRP process ---

const ObjectTree& Agent::tree() {
    if (Clock::now() < fresh_until_ && picture_) return tree_;
    ask_for_picture();
    const auto end = asked_at_ + answer_patience;   // a VRRP process that does not answer is waited for once
    while (is_asked_ && !is_link_closed_ && Clock::now() < end) {
        if (wait_for_link(std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()))) read_link();
    }
    return tree_;
}

void Agent::ask_for_picture() {
    if (is_asked_ && Clock::now() < asked_at_ + asking_patience) return;   // it may have been lost in a reload
    const char message = static_cast<char>(Message::want_picture);
    if (::send(settings_.link, &message, 1, MSG_DONTWAIT | MSG_NOSIGNAL) != 1) return;
    is_asked_ = true;
    asked_at_ = Clock::now();
}

bool Agent::wait_for_link(std::chrono::milliseconds patience) const {
    pollfd waited{settings_.link, POLLIN, 0};
    return ::poll(&waited, 1, static_cast<int>(patience.count())) > 0;
}

void Agent::read_link() {
    std::array<char, longest_message> buffer;
    iovec place{buffer.data(), buffer.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> beside{};
    msghdr header{};
    header.msg_iov = &place;
    header.msg_iovlen = 1;
    header.msg_control = beside.data();
    header.msg_controllen = beside.size();
    const ssize_t size = ::recvmsg(settings_.link, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) {
        is_link_closed_ = true;
        return;
    }
    int descriptor = -1;
    for (cmsghdr* one = CMSG_FIRSTHDR(&header); one != nullptr; one = CMSG_NXTHDR(&header, one)) {
        if (one->cmsg_level == SOL_SOCKET && one->cmsg_type == SCM_RIGHTS) std::memcpy(&descriptor, CMSG_DATA(one), sizeof descriptor);
    }
    on_message({buffer.data(), static_cast<std::size_t>(size)}, descriptor);
    if (descriptor >= 0) ::close(descriptor);
}

void Agent::on_message(std::string_view message, int descriptor) {
    switch (static_cast<Message>(message.front())) {
    case Message::picture: return take_picture(descriptor);
    case Message::transitions: return take_transitions(message.substr(1));
    case Message::changed:
        fresh_until_ = {};
        is_asked_ = false;
        return;
    case Message::want_picture:
    case Message::log: return;   // ours
    }
}

void Agent::take_picture(int descriptor) {
    is_asked_ = false;
    struct stat status {};
    if (descriptor < 0 || ::fstat(descriptor, &status) != 0 || status.st_size <= 0) return;
    const auto size = static_cast<std::size_t>(status.st_size);
    void* octets = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (octets == MAP_FAILED) return log(true, "cannot read what the VRRP process tells");
    auto picture = std::make_unique<Picture>();
    Decoder decoder({static_cast<const char*>(octets), size});
    const bool is_whole = decoder.get(*picture) && decoder.is_at_end();
    ::munmap(octets, size);
    if (!is_whole) return log(true, "does not understand what the VRRP process tells: is it of the same version?");
    picture->agent_ticks = static_cast<std::uint64_t>(netsnmp_get_agent_uptime());
    tree_ = make_tree(*picture, settings_.service);
    picture_ = std::move(picture);
    fresh_until_ = Clock::now() + std::max<Clock::duration>(least_freshness, (Clock::now() - asked_at_) * freshness_factor);
}

void Agent::take_transitions(std::string_view encoded) {
    Decoder decoder(encoded);
    while (!decoder.is_at_end()) {
        Transition transition;
        if (!decoder.get(transition)) break;
        transitions_.push_back(std::move(transition));
    }
    while (transitions_.size() > most_waiting) {
        transitions_.pop_front();
        ++lost_;
    }
    fresh_until_ = std::min(fresh_until_, Clock::now() + least_freshness / 10);
}

void Agent::log(bool is_warning, std::string_view text) const {
    std::string message{static_cast<char>(Message::log), is_warning ? '1' : '0'};
    message += text.substr(0, 1000);
    (void)::send(settings_.link, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

// --- the master agent ---

/// All that we have written; the library's sockets are those that it waits for.
bool Agent::has_master_read() const {
    fd_set sockets;
    FD_ZERO(&sockets);
    int count = 0;
    int is_unbounded = 1;
    timeval patience{};
    snmp_select_info(&count, &sockets, &patience, &is_unbounded);
    for (int fd = 0; fd < count; ++fd) {
        int unread = 0;
        if (FD_ISSET(fd, &sockets) && ::ioctl(fd, SIOCOUTQ, &unread) == 0 && unread != 0) return false;
    }
    return true;
}

void Agent::on_connection(bool is_connected) {
    if (is_connected_ == is_connected) return;
    is_connected_ = is_connected;
    if (is_connected) log(false, "connected to the master agent at " + settings_.master);
    else log(true, "the master agent at " + settings_.master + " is gone; trying again every " + std::to_string(reconnect_seconds) + " s");
    if (!is_connected || lost_ == 0) return;
    log(true, std::to_string(lost_) + " notifications were lost while there was no master agent");
    lost_ = 0;
}

/// The master agent acknowledges each notification. If we wrote without reading, and it too, both would wait for room for ever: so there are never more under way
/// than sockets hold in either direction.
void Agent::send_notifications(std::size_t most) {
    if (transitions_.empty() || !is_connected_ || !has_master_read()) return;
    for (; most > 0 && is_connected_ && !transitions_.empty(); --most) {
        const Transition transition = std::move(transitions_.front());
        transitions_.pop_front();
        for (const Notification& notification : notifications_of(transition, settings_.service)) send_notification(notification);
    }
}

}  // namespace vigil::snmp
