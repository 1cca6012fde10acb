#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/hmac_settings.h"
#include "config/interface_definitions.h"
#include "config/lvs_definitions.h"
#include "config/process_definitions.h"
#include "config/route_model.h"
#include "config/script.h"
#include "config/server_model.h"
#include "packet/address.h"
#include "packet/units.h"

/// The effective configuration as plain values: every default is applied, every cross check has been made. What the
/// keywords are called in keepalived.conf is how the members are called here, where they mean the same.
namespace vigil::config {

class TextPool;

/// One line of virtual_ipaddress or virtual_ipaddress_excluded.
struct ConfiguredAddress {
    IpAddress address;
    std::uint8_t prefix_length = 32;  ///< host length when the file gives none
    std::uint8_t scope = 0;           ///< rt_scopes number: 0 global, 253 link, 254 host; IPv4 only
    bool home_address = false;        ///< IFA_F_HOMEADDRESS
    bool duplicate_detection = false; ///< `-nodad` was given: IFA_F_NODAD is NOT set (IPv6; set otherwise)
    bool manage_temporary = false;    ///< IFA_F_MANAGETEMPADDR
    bool no_prefix_route = false;     ///< IFA_F_NOPREFIXROUTE
    bool auto_join = false;           ///< IFA_F_MCAUTOJOIN
    bool no_track = false;            ///< deletion by somebody else is tolerated
    bool use_vmac = false;            ///< on a macvlan on its device, or of its family, where that is not the instance's
    std::optional<IpAddress> broadcast;  ///< IPv4; "+" and "-" are already computed
    std::optional<IpAddress> peer;       ///< point-to-point
    std::string_view device;             ///< empty: the instance's interface (the virtual MAC's when it has one)
    std::string_view label;              ///< at most 15 octets; empty: none
    std::uint32_t preferred_lifetime = forever;  ///< seconds; `forever` otherwise, 0 for an IPv6 /128
    SourceLocation where;

    static constexpr std::uint32_t forever = 0xffffffff;

    friend bool operator==(const ConfiguredAddress&, const ConfiguredAddress&) = default;
};

struct UnicastPeer {
    IpAddress address;
    std::uint8_t min_ttl = 0;    ///< received TTL must be at least this
    std::uint8_t max_ttl = 255;  ///< and at most this
    SourceLocation where;

    friend bool operator==(const UnicastPeer&, const UnicastPeer&) = default;
};

/// An entry of track_interface, track_script, track_file, track_process or track_bfd, or a track_group. When an entry of all but the first says nothing of its own, weight and
/// reverse are those of what it names.
struct TrackedItem {
    std::string_view name;
    std::optional<std::int16_t> weight;  ///< -254..254, interfaces and scripts -253..253; 0 or absent: FAULT instead of a shift
    bool reverse = false;                ///< weight 0: FAULT while it is good; else the shift has the other sign
    SourceLocation where;
    bool of_group = false;   ///< an instance has it from its sync group
    bool of_route = false;   ///< an instance has it because an address, a route or a rule of its own uses the interface

    friend bool operator==(const TrackedItem&, const TrackedItem&) = default;
};

/// Gratuitous ARP and unsolicited NA schedule of an instance.
struct AnnouncementSettings {
    Nanoseconds delay{std::chrono::seconds{5}};  ///< garp_master_delay: the second burst comes this much later; 0 = no second burst
    std::uint32_t repeat = 5;                    ///< garp_master_repeat: messages per address and burst, at least 1
    Nanoseconds refresh{0};                      ///< garp_master_refresh: period of refresh bursts while Active; 0 = never
    std::uint32_t refresh_repeat = 1;            ///< garp_master_refresh_repeat; 0 only by vrrp_min_garp
    Nanoseconds lower_prio_delay{std::chrono::seconds{5}};  ///< second burst after a lower priority advert was heard
    std::uint32_t lower_prio_repeat = 5;                    ///< messages in those bursts; 0 = none
    Nanoseconds extra_refresh{0};  ///< garp_extra_if: period for addresses whose MAC the adverts do not keep known, at most a day; 0 = never
    bool extra_everywhere = false; ///< `all`: also for those without the virtual MAC

    friend bool operator==(const AnnouncementSettings&, const AnnouncementSettings&) = default;
};

/// How the virtual MAC comes to be: a device for each virtual router, or rules and sets for each interface.
enum class VirtualMacMode : std::uint8_t { macvlan, nftables };

/// use_vmac and its arguments.
struct VirtualMacSettings {
    bool enabled = false;
    VirtualMacMode mode = VirtualMacMode::macvlan;  ///< vmac_mode
    bool netlink_notify = false;        ///< netlink_notify_msg
    std::string_view name;              ///< of the macvlan; empty: {vmac_prefix}.{vrid}
    std::optional<MacAddress> address;  ///< complete (a 5 octet one has got the VRID appended); absent: the RFC 9568 address
    std::uint32_t group = 0;            ///< interface group; 0: copied from the base

    friend bool operator==(const VirtualMacSettings&, const VirtualMacSettings&) = default;
};

/// What the ipvlans of one interface are to each other; the same for all of them.
enum class IpvlanMode : std::uint8_t { bridge, isolated, vepa };

/// use_ipvlan and its arguments.
struct IpvlanSettings {
    std::string_view name;             ///< of the device; empty: {vmac_prefix}.{vrid}
    std::optional<IpAddress> address;  ///< the device's own, which adverts come from; of the instance's family
    std::uint8_t prefix_length = 32;   ///< of `address`; host length when the file gives none
    IpvlanMode mode = IpvlanMode::bridge;
    std::uint32_t group = 0;           ///< interface group; 0: copied from the base

    friend bool operator==(const IpvlanSettings&, const IpvlanSettings&) = default;
};

enum class AuthenticationType : std::uint8_t { none, simple_password, ah };
enum class OldUnicastChecksum : std::uint8_t { detect, always, never };
enum class InitialState : std::uint8_t { backup, master };

/// One virtual router. Every value is what is in effect, global defaults included.
struct VrrpInstance {
    std::string_view name;
    std::string_view interface;  ///< empty only with unicast peers
    SourceLocation where;            ///< of its name
    SourceLocation interface_where;  ///< of the interface keyword; line 0 without one

    Vrid vrid{0};
    Priority priority = Priority::default_value;
    VrrpVersion version = VrrpVersion::v2;
    Family family = Family::ipv4;            ///< of the virtual addresses and of the adverts
    InitialState state = InitialState::backup;  ///< `state MASTER`; elects at once only with priority 255
    Centiseconds advert_int{100};            ///< v2: whole seconds 100-25500; v3: 1-4095
    std::uint8_t down_timer_adverts = 3;     ///< 1-100 missed adverts before take-over
    bool nopreempt = false;
    std::uint8_t timer_expired_backup = 0;   ///< 1-254: after a pause in which a peer of this priority has taken over, a master is Backup; 0: off. With nopreempt only
    Nanoseconds preempt_delay{0};            ///< 0-1000 s

    AuthenticationType auth_type = AuthenticationType::none;  ///< v2 only
    std::array<std::uint8_t, 8> auth_pass{};                  ///< zero padded
    HmacSettings auth_hmac;                                   ///< instead of auth_type, in both versions

    std::vector<ConfiguredAddress> virtual_addresses;   ///< in file order, all of `family`, at most 255
    std::vector<ConfiguredAddress> excluded_addresses;  ///< set but not advertised, any family
    bool no_virtual_ipaddress = false;
    std::vector<ConfiguredRoute> virtual_routes;        ///< set behind the addresses, taken away before them
    std::vector<ConfiguredRule> virtual_rules;          ///< set behind the routes

    bool unicast = false;                      ///< sends to unicast_peers instead of the group
    std::vector<UnicastPeer> unicast_peers;
    bool lacks_peers = false;                  ///< unicast_fault_no_peer without a peer: it stays in FAULT
    std::optional<std::uint8_t> unicast_ttl;   ///< absent: 255 (IPv6: kernel's)
    std::optional<IpAddress> source_address;   ///< mcast_src_ip / unicast_src_ip; absent: first address of the interface
    bool track_src_ip = false;                 ///< FAULT while this host does not have source_address
    IpAddress multicast_group = vrrp_group_ipv4;  ///< of `family`
    bool check_unicast_src = false;
    OldUnicastChecksum old_unicast_checksum = OldUnicastChecksum::detect;
    bool v3_checksum_as_v2 = false;            ///< no pseudo-header in v3 over IPv4

    VirtualMacSettings virtual_mac;
    std::optional<IpvlanSettings> ipvlan;      ///< not with a virtual MAC
    std::string_view vrf;                      ///< without `interface`: where the route to the first peer is looked for; empty: outside of any
    bool use_vmac_addr = false;                ///< addresses on other interfaces are on macvlans there
    bool vmac_xmit_base = false;               ///< adverts leave from the base interface

    AnnouncementSettings announcements;
    bool strict_mode = false;
    bool skip_check_adv_addr = false;
    bool accept = true;                        ///< packets to the virtual addresses are accepted while Active
    bool promote_secondaries = false;          ///< the sysctl, on the interfaces of its IPv4 addresses
    bool steps_back_when_address_deleted = false;  ///< deleted_address step_back; otherwise an address, route or rule that somebody deletes is put back
    bool lower_prio_no_advert = false;
    bool higher_prio_send_advert = false;
    bool owner_ignore_adverts = false;

    bool dont_track_primary = false;
    std::vector<TrackedItem> track_interfaces;
    std::vector<TrackedItem> track_scripts;    ///< each names one of Configuration::scripts
    std::vector<TrackedItem> track_files;      ///< of Configuration::tracked_files
    std::vector<TrackedItem> track_processes;  ///< of Configuration::tracked_processes
    std::vector<TrackedItem> track_static;     ///< the track groups that it is in and that static_ lines name; no weights
    std::vector<TrackedItem> track_bfds;       ///< of Configuration::bfd_instances
    std::vector<NotifyScript> scripts;         ///< at most one per event
    bool notify_deleted = false;               ///< a removed instance is told as DELETED, else as FAULT
    bool notify_priority_changes = false;      ///< FIFO lines for changes of the effective priority
    bool smtp_alert = false;                   ///< mail for changes of state
    std::uint8_t debug = 0;                    ///< 0-4

    friend bool operator==(const VrrpInstance&, const VrrpInstance&) = default;
};

/// A name in the `group` list of a sync group or a track group.
struct GroupMember {
    std::string_view name;
    SourceLocation where;

    friend bool operator==(const GroupMember&, const GroupMember&) = default;
};

/// vrrp_sync_group: instances that change their state together.
struct VrrpSyncGroup {
    std::string_view name;
    SourceLocation where;                       ///< of its name
    std::vector<GroupMember> members;           ///< in file order, at least one; each is an instance that can be used, and in no other group
    std::vector<TrackedItem> track_interfaces;  ///< the members have them too, with TrackedItem::of_group
    std::vector<TrackedItem> track_scripts;     ///< the same, like those that follow
    std::vector<TrackedItem> track_files;
    std::vector<TrackedItem> track_processes;
    std::vector<TrackedItem> track_bfds;
    std::vector<NotifyScript> scripts;          ///< at most one per event
    bool tracking_weight = false;               ///< sync_group_tracking_weight: members keep their own weighted trackers
    std::optional<bool> smtp_alert;               ///< mail for changes of the group's state; has a value
    std::optional<bool> notify_priority_changes;  ///< for members that do not say it themselves
};

/// garp_group: interfaces whose announcements share one pace.
struct GarpGroup {
    SourceLocation where;
    std::optional<Nanoseconds> garp_interval;    ///< least gap between two gratuitous ARPs on all of them; one of both is there
    std::optional<Nanoseconds> gna_interval;     ///< the same for unsolicited NAs
    std::vector<std::string_view> interfaces;    ///< at least one; each in no other group
};

/// track_group: the instances that are meant by a name in static_* lines.
struct TrackGroup {
    std::string_view name;
    SourceLocation where;
    std::vector<GroupMember> members;
};

/// First script for `event`, nullptr when there is none.
const NotifyScript* find_script(const std::vector<NotifyScript>& scripts, ScriptEvent event);
inline const NotifyScript* find_script(const VrrpInstance& instance, ScriptEvent event) { return find_script(instance.scripts, event); }

/// vrrp_script: a command whose exit code says whether all is well.
struct VrrpScript {
    std::string_view name;
    NotifyScript command;       ///< event means nothing; `user` of the block is in it
    Nanoseconds interval{std::chrono::seconds{1}};
    Nanoseconds timeout{0};     ///< 0: the interval
    std::int16_t weight = 0;    ///< -253..253; 0: a failure means FAULT
    bool weight_reverse = false;
    std::uint32_t rise = 1;     ///< successes in a row until it is good again, at least 1
    std::uint32_t fall = 1;     ///< failures in a row until it is bad, at least 1
    bool init_fail = false;     ///< bad until `rise` successes; else the first result counts at once
    SourceLocation where;
};

/// track_file: a number in a file.
struct TrackedFile {
    std::string_view name;
    std::string_view path;
    std::int16_t weight = 1;    ///< -254..254, times the number; 0: a number other than 0 means FAULT
    bool weight_reverse = false;
    std::optional<std::int32_t> initial_value;  ///< init_file: written at the start when there is no such file
    bool overwrite = false;                     ///< init_file: written at the start in any case
    SourceLocation where;
};

/// How the parameters of vrrp_track_process are held against those of a process.
enum class ParameterMatch : std::uint8_t {
    none,     ///< not looked at
    exact,    ///< the same ones
    partial,  ///< its first ones are these
    initial,  ///< the same, but the last one listed may be only the beginning of its own
};

/// vrrp_track_process: is a program running, often enough and not too often?
struct TrackedProcess {
    static constexpr std::uint32_t unlimited = 0xffffffff;

    std::string_view name;
    std::string_view program;                   ///< of /proc/PID/comm, or with full_command its argv[0]
    std::vector<std::string_view> parameters;   ///< argv[1] and on
    ParameterMatch match = ParameterMatch::none;
    bool full_command = false;                  ///< implied by parameters and param_match
    std::uint32_t quorum = 1;
    std::uint32_t quorum_max = unlimited;       ///< not below quorum, but for 0: it must not run
    Nanoseconds terminate_delay{0};             ///< what an end changes counts after this much time, 0-3600 s
    Nanoseconds fork_delay{0};                  ///< the same for a start
    std::int16_t weight = 0;                    ///< -254..254; 0: no quorum means FAULT
    bool weight_reverse = false;
    SourceLocation where;
};

/// nftables and the keywords beside it: the table for what `no_accept` asks for.
struct NftablesSettings {
    std::string_view table = "keepalived";
    std::int32_t priority = -1;          ///< of its chains
    bool by_interface_index = false;     ///< nftables_ifindex
    bool has_counters = false;           ///< nftables_counters
};

/// Which MIBs are served.
struct SnmpSettings {
    bool vrrp = false;           ///< enable_snmp_vrrp: KEEPALIVED-MIB
    bool rfc2787 = false;        ///< enable_snmp_rfcv2, or enable_snmp_rfc
    bool rfc6527 = false;        ///< enable_snmp_rfcv3, or enable_snmp_rfc
    bool traps = false;
    std::string_view socket;     ///< of the master agent; empty: unix:/var/agentx/master

    friend bool operator==(const SnmpSettings&, const SnmpSettings&) = default;
};

/// bfd_instance: is a neighbor there, and the way to it? RFC 5880.
struct BfdInstance {
    static constexpr std::size_t longest_name = 31;
    static constexpr std::int16_t any_hops = 255;

    std::string_view name;
    IpAddress neighbor;                         ///< no two instances have the same
    std::optional<IpAddress> source;            ///< of its family; absent: the kernel's choice
    Nanoseconds min_rx{std::chrono::milliseconds{10}};   ///< whole microseconds, at least 1 ms
    Nanoseconds min_tx{std::chrono::milliseconds{10}};   ///< the same
    Nanoseconds idle_tx{std::chrono::seconds{1}};        ///< between packets while not Up, at least 1 s
    std::uint8_t multiplier = 5;                ///< at least 1
    bool passive = false;
    std::uint8_t ttl = 255;                     ///< of what is sent
    std::int16_t max_hops = 0;                  ///< 0-254; any_hops: the TTL of what comes does not matter
    bool multihop = false;                      ///< UDP port 4784 (RFC 5883)
    std::int16_t weight = 0;                    ///< -253..253; 0: not Up means FAULT
    bool weight_reverse = false;
    bool vrrp = true;                           ///< instances may track it
    bool checker = true;                        ///< checkers may
    SourceLocation where;
};

/// The BFD process.
struct BfdProcessSettings {
    std::string_view name;                      ///< of the process; empty: its own
    std::optional<std::int8_t> nice;            ///< of the session thread, -20 to 19; absent: the daemon chooses
    std::uint8_t rt_priority = 0;               ///< SCHED_RR 1-99; 0: not real-time
    bool no_swap = false;
    std::uint32_t rlimit_rttime = 0;            ///< microseconds without a pause at real-time priority; 0: as many as it likes
    std::vector<unsigned> cpus;                 ///< empty: all

    friend bool operator==(const BfdProcessSettings&, const BfdProcessSettings&) = default;
};

/// global_defs, and what stands at root level beside the blocks.
struct GlobalDefinitions {
    std::string_view router_id;  ///< empty: the host name
    std::vector<std::string_view> notification_email;
    std::string_view notification_email_from;
    std::string_view smtp_server;
    std::uint16_t smtp_port = 25;
    Nanoseconds smtp_connect_timeout{std::chrono::seconds{30}};
    std::string_view smtp_helo_name;  ///< empty: the host name
    bool no_email_faults = false;     ///< no mail about FAULT

    bool enable_script_security = false;
    std::string_view script_user;   ///< empty: keepalived_script when that user exists, else the daemon's
    std::string_view script_group;

    NotifyFifo notify_fifo;
    NotifyFifo vrrp_notify_fifo;
    bool vrrp_notify_priority_changes = false;
    bool fifo_write_vrrp_states_on_reload = false;

    std::uint8_t json_version = 1;     ///< 1 or 2
    std::string_view state_dump_file;  ///< of SIGUSR1: a path, a directory with '/' at its end, or a name; empty: keepalived.data
    std::string_view stats_dump_file;  ///< of SIGUSR2 and STATS_CLEAR; empty: keepalived.stats
    std::string_view json_dump_file;   ///< of the JSON signal; empty: keepalived.json
    bool data_use_instance = false;    ///< namespace and instance stand in the names of these files

    VrrpVersion vrrp_version = VrrpVersion::v2;
    bool vrrp_strict = false;
    bool vrrp_skip_check_adv_addr = false;
    bool vrrp_check_unicast_src = false;
    bool v3_checksum_as_v2 = false;
    bool vrrp_lower_prio_no_advert = false;
    bool steps_back_when_address_deleted = false;  ///< vrrp_deleted_address step_back
    bool vrrp_higher_prio_send_advert = false;
    bool vrrp_owner_ignore_adverts = false;
    std::uint8_t vrrp_down_timer_adverts = 3;
    IpAddress vrrp_mcast_group4 = vrrp_group_ipv4;
    IpAddress vrrp_mcast_group6 = vrrp_group_ipv6;
    Nanoseconds vrrp_garp_interval{0};  ///< least gap between two gratuitous ARPs on an interface
    Nanoseconds vrrp_gna_interval{0};   ///< the same for unsolicited NAs
    AnnouncementSettings announcements; ///< defaults of the instances that follow
    bool vrrp_min_garp = false;
    Nanoseconds vrrp_startup_delay{0};  ///< no election before this much time after start
    Nanoseconds vrrp_delay_after_boot{0};  ///< nor before this much time after the boot of this host
    bool log_unknown_vrids = false;        ///< adverts for virtual routers that are not here are logged
    std::optional<std::int8_t> vrrp_priority;  ///< nice value of the packet thread, -20 to 19; absent: the daemon chooses
    std::uint8_t vrrp_rt_priority = 0;  ///< SCHED_RR priority of the packet thread, 1-99; 0: not real-time
    bool vrrp_no_swap = false;          ///< the VRRP process's memory stays in RAM
    std::string_view vmac_prefix = "vrrp";
    std::string_view vmac_addr_prefix;   ///< of the macvlans of use_vmac_addr; empty: vmac_prefix
    VirtualMacMode vmac_mode = VirtualMacMode::macvlan;  ///< default of all instances
    NftablesSettings nftables;
    SnmpSettings snmp;

    std::string_view default_interface = "eth0";   ///< of static addresses without dev
    std::string_view iproute_usr_dir;  ///< iproute2's name tables of the distribution; empty: where it usually has them
    std::string_view iproute_etc_dir;  ///< and of the administrator; empty: /etc/iproute2

    std::string_view net_namespace;  ///< empty: the one we are started in
    std::string_view instance;       ///< suffix of pid and dump files
    bool use_pid_dir = false;

    ProcessDefinitions process;
    BfdProcessSettings bfd;
    LvsDefinitions lvs;
};

/// One line of static_ipaddress.
struct StaticAddress {
    ConfiguredAddress address;      ///< with a device
    std::string_view track_group;   ///< its instances are in FAULT while the address cannot be had; empty: none

    friend bool operator==(const StaticAddress&, const StaticAddress&) = default;
};

/// All that was read. The string_views point into `texts`, which copies share: a copy is as valid as the original.
struct Configuration {
    GlobalDefinitions global;
    InterfaceDefinitions interfaces;
    std::vector<VrrpInstance> instances;  ///< in file order, only usable ones
    std::vector<VrrpSyncGroup> sync_groups;  ///< in file order, only those with members
    std::vector<TrackGroup> track_groups;    ///< in file order
    std::vector<GarpGroup> garp_groups;
    std::vector<StaticAddress> static_addresses;   ///< what follows is there as long as the daemon
    std::vector<ConfiguredRoute> static_routes;
    std::vector<ConfiguredRule> static_rules;
    std::vector<VrrpScript> scripts;
    std::vector<TrackedFile> tracked_files;
    std::vector<TrackedProcess> tracked_processes;
    std::vector<BfdInstance> bfd_instances;
    std::vector<VirtualServerGroup> server_groups;   ///< in file order, none empty
    std::vector<VirtualServer> virtual_servers;      ///< in file order, only usable ones; no service twice
    std::vector<std::string> files;       ///< names by SourceLocation::file
    std::shared_ptr<TextPool> texts;

    /// "keepalived.conf:12:5" (without a column when that is unknown).
    std::string describe(SourceLocation where) const;
};

/// Splits a command into its argument vector as keepalived does: blanks separate, ' and " quote, pieces that touch are
/// joined, \a \b \E \f \n \r \t \v \NNN \xHH \cX are characters, a backslash before anything else gives that character.
std::vector<std::string> split_command(std::string_view command);

}  // namespace vigil::config
