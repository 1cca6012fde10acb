#pragma once

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "config/block_tree.h"
#include "config/load.h"
#include "config/model.h"
#include "config/name_tables.h"
#include "config/reporter.h"
#include "config/server_reading.h"
#include "config/text_pool.h"

namespace vigil::config {

/// Keywords that validate() may have to point at.
enum class Place : std::uint8_t {
    none, version, advert_int, state, priority, authentication, nopreempt, preempt_delay, source_address, multicast_group, unicast_peer,
    fault_without_peer, timer_expired, virtual_mac, xmit_base, vmac_mode, down_timer, track_source, ipvlan, vrf, auth_hmac, active_key, time_window,
    hmac_mode, count
};

/// What an instance said itself, kept until all defaults are known (validate.cpp).
struct InstanceDraft {
    std::uint32_t advert_int_us = 1'000'000;
    bool has_version = false;
    bool has_priority = false;
    bool has_auth_type = false;
    bool has_auth_pass = false;
    bool has_native_ipv6 = false;
    bool polls_link = false;              ///< linkbeat_use_polling
    bool has_auth_hmac = false;
    std::optional<std::uint8_t> active_key;
    std::optional<std::uint16_t> time_window;   ///< seconds
    bool fault_without_peer = false;
    std::uint8_t mac_octets = 0;          ///< of use_vmac: 5 or 6
    std::optional<VirtualMacMode> vmac_mode;
    std::optional<bool> strict_mode;
    std::optional<bool> accept;
    std::optional<bool> lower_prio_no_advert;
    std::optional<bool> steps_back_when_address_deleted;
    std::optional<bool> higher_prio_send_advert;
    std::optional<bool> owner_ignore_adverts;
    std::optional<bool> check_unicast_src;
    std::optional<bool> notify_priority_changes;
    std::optional<bool> smtp_alert;
    std::optional<std::uint32_t> lower_prio_delay;   ///< seconds
    std::optional<std::uint32_t> lower_prio_repeat;
    std::optional<IpAddress> multicast_group;
    std::array<SourceLocation, static_cast<std::size_t>(Place::count)> places{};  ///< line 0: not written
    std::vector<SourceLocation> early_uses;      ///< tracked items whose definition was not there yet
    std::vector<SourceLocation> open_directions; ///< tracked items with a weight but without 'reverse' or 'noreverse'
};

/// What others should not read. A password of VRRP version 2 is in every advert, for all on the LAN; a key is not.
enum class SecretKind : std::uint8_t { password, key };
struct Secret {
    SecretKind kind = SecretKind::password;
    SourceLocation where;
};

/// What global_defs said, beside the values in GlobalDefinitions.
struct GlobalDraft {
    std::optional<std::uint32_t> lower_prio_delay;
    std::optional<std::uint32_t> lower_prio_repeat;
    std::optional<bool> smtp_alert;
    std::optional<bool> smtp_alert_vrrp;
    std::vector<Secret> secrets;    ///< the first of each file, and its first key
};

/// Names of vrrp_script, track_file, vrrp_track_process or bfd_instance blocks, and where they are; those that cannot be used too.
using TrackerNames = std::unordered_map<std::string_view, SourceLocation>;

/// All that the keyword handlers share.
struct Context {
    Configuration& configuration;
    Reporter& reporter;
    const LoadOptions& options;
    TextPool& texts;
    GlobalDraft global_draft;
    std::vector<InstanceDraft> drafts;  ///< one for each of configuration.instances
    TrackerNames scripts;
    TrackerNames files;
    TrackerNames processes;
    TrackerNames bfds;
    std::map<IpAddress, SourceLocation> bfd_neighbors;   ///< of sessions that can be used
    std::vector<InstanceDraft> sync_group_drafts;  ///< one for each of configuration.sync_groups
    std::unordered_map<std::string_view, SourceLocation> sync_group_names;
    std::unordered_map<std::string_view, SourceLocation> track_group_names;
    std::array<std::uint32_t, 2> chosen_rule_priorities{};  ///< how many rules without a priority there were, IPv4 and IPv6
    NameTables names{};
    ServerReading servers{};

    /// Number of a name of iproute2's tables, of the host that the file is read on.
    std::optional<std::uint32_t> find_name(NameKind kind, std::string_view word);
};

/// A statement with the tree it is in: what a handler looks at.
struct Node {
    const BlockTree& tree;
    std::uint32_t index;

    const Statement& statement() const { return tree.statements[index]; }
    const Line& line() const { return tree.line_of(statement()); }
    std::span<const Word> words() const { return tree.words_of(statement()); }
    std::size_t word_count() const { return statement().word_count; }
    /// Empty when there is no such word.
    std::string_view word(std::size_t number) const { return number < word_count() ? words()[number].view() : std::string_view{}; }
    SourceLocation where(std::size_t number = 0) const { return location_of(line(), word(number)); }

    /// Calls visit(Node) for every statement of its block.
    template <typename Visit>
    void for_each_child(Visit visit) const {
        for (std::uint32_t child = index + 1; child < statement().end; child = tree.statements[child].end) visit(Node{tree, child});
    }
};

/// Blocks to model, with the notes about what is not yet acted on.
class Interpreter final : public BlockSink {
public:
    explicit Interpreter(Context& context) : context_(context) {}
    void on_block(const BlockTree& tree) override;

private:
    Context& context_;
};

// The steps behind it, by file.

/// check_arguments.cpp: are the words behind the keyword what its table row asks for? Reports; false: do not act on it.
bool check_arguments(Reporter& reporter, const Node& node);
/// check_arguments.cpp: the same for a block that is not acted on, with all that is in it.
void check_block(Reporter& reporter, const Node& node);
/// check_arguments.cpp: "understood, not yet acted on", and check_block().
void report_later(Reporter& reporter, const Node& node);
/// check_arguments.cpp: a warning when the keyword has a newer name.
void report_deprecated(Reporter& reporter, const Node& node);
/// global_definitions.cpp
void read_global_definitions(Context& context, const Node& block);
/// process_definitions.cpp: a keyword of global_defs, when it is one of those.
void read_process_keyword(Context& context, const Node& node);
void read_child_wait_time(Context& context, const Node& node);
/// process_definitions.cpp: a note about a keyword that steers something that vigil has not; nothing for others.
void say_meaningless(Reporter& reporter, const Node& node);
/// interface_definitions.cpp: interface_up_down_delays or linkbeat_interfaces.
void read_interface_list(Context& context, const Node& block);
void read_dynamic_interfaces(Context& context, const Node& node);
std::string_view name_of(LinkProbe probe);
/// vrrp_instance.cpp
void read_vrrp_instance(Context& context, const Node& block);
/// vrrp_script.cpp
void read_vrrp_script(Context& context, const Node& block);
/// tracked_things.cpp
void read_tracked_file(Context& context, const Node& block);
void read_tracked_process(Context& context, const Node& block);
/// bfd_instance.cpp
void read_bfd_instance(Context& context, const Node& block);
/// tracked_things.cpp: false when there is such a name already, which has been said, or when the block lacks `required`.
bool claim_tracker_name(Context& context, TrackerNames& names, const Node& block, bool is_complete, std::string_view required);
/// sync_group.cpp
void read_sync_group(Context& context, const Node& block);
void read_track_group(Context& context, const Node& block);
/// garp_group.cpp
void read_garp_group(Context& context, const Node& block);
/// garp_group.cpp: [all] SECONDS, of which the least is given.
void read_extra_refresh(Context& context, AnnouncementSettings& settings, const Node& node, std::int64_t least);

/// address_line.cpp: one line of an address list; nullopt when it was reported and dropped. `track_group`: of static addresses, nullptr for others.
std::optional<ConfiguredAddress> read_address_line(Context& context, const Node& item, std::string_view* track_group = nullptr);
/// route_line.cpp, rule_line.cpp: the same for routes and rules.
std::optional<ConfiguredRoute> read_route_line(Context& context, const Node& item, bool is_static);
std::optional<ConfiguredRule> read_rule_line(Context& context, const Node& item, bool is_static);
/// static_objects.cpp: static_ipaddress, static_routes and static_rules.
void read_static_addresses(Context& context, const Node& block);
void read_static_routes(Context& context, const Node& block);
void read_static_rules(Context& context, const Node& block);
/// instance_lists.cpp
void read_addresses(Context& context, std::vector<ConfiguredAddress>& addresses, const Node& block);
void read_routes(Context& context, std::vector<ConfiguredRoute>& routes, const Node& block, bool is_static);
void read_rules(Context& context, std::vector<ConfiguredRule>& rules, const Node& block, bool is_static);
void read_unicast_peers(Context& context, VrrpInstance& instance, const Node& block);
struct TrackedList {
    std::vector<TrackedItem>& items;
    int greatest_weight;          ///< 253 or 254
    const TrackerNames* names;    ///< nullptr for interfaces
};
void read_tracked_items(Context& context, TrackedList list, InstanceDraft& draft, const Node& block);
/// auth_hmac.cpp
void read_auth_hmac(Context& context, VrrpInstance& instance, InstanceDraft& draft, const Node& block);
/// auth_hmac.cpp: its defaults. False: the instance cannot be used, and that has been said.
bool settle_auth_hmac(Context& context, VrrpInstance& instance, const InstanceDraft& draft);
/// use_vmac.cpp
VirtualMacMode read_vmac_mode(std::string_view word);
void read_use_vmac(Context& context, VrrpInstance& instance, InstanceDraft& draft, const Node& node);

/// use_ipvlan.cpp
void read_use_ipvlan(Context& context, VrrpInstance& instance, const Node& node);
std::string_view name_of(IpvlanMode mode);

/// notifications.cpp: the keywords of global_defs about mail and FIFOs.
void read_smtp_server(Context& context, GlobalDefinitions& global, const Node& node);
void read_emails(Context& context, GlobalDefinitions& global, const Node& block);
void read_email_from(Context& context, GlobalDefinitions& global, const Node& node);
void read_helo_name(Context& context, GlobalDefinitions& global, const Node& node);
void read_fifo(Context& context, NotifyFifo& fifo, const Node& node);
/// notifications.cpp: what can be said only when all is read.
void validate_notifications(Context& context);

/// Command, user and group of a command keyword. `event` is the caller's.
NotifyScript read_command(Context& context, const Node& node);
/// Adds it, unless there is one for the event already, which is reported, or it has no command. False: not added.
bool add_script(Context& context, std::vector<NotifyScript>& scripts, const Node& node, ScriptEvent event);

/// validate_tracking.cpp: the tracked items of all instances and sync groups against what they name.
class TrackingValidator {
public:
    /// After all of the file was read. `context` outlives it.
    explicit TrackingValidator(Context& context);

    /// Drops what names nothing, takes over default weights, and reports what can have no effect.
    void settle(VrrpInstance& instance, const InstanceDraft& draft);
    /// The same for what a sync group tracks.
    void settle(VrrpSyncGroup& group, const InstanceDraft& draft);
    /// After all instances: what nobody tracks.
    void report_unused();

private:
    struct Definition {
        std::int16_t weight = 0;
        bool reverse = false;
        SourceLocation where;
        bool is_used = false;
        bool is_for_others = false;   ///< a bfd_instance that tells checkers only
    };
    struct Kind {
        std::string_view keyword;
        std::unordered_map<std::string_view, Definition> definitions;
    };

    void settle_items(std::string_view owner, const InstanceDraft& draft, std::vector<TrackedItem>& items, Kind& kind);
    void drop_weighted(VrrpInstance& instance, std::vector<TrackedItem>& items);
    void report_missing(std::string_view owner, const TrackedItem& item, const Kind& kind);
    void mark_files_of_checkers();
    void report_without_effect(const VrrpInstance& instance);
    void say(Severity severity, std::string_view owner, SourceLocation where, std::string text, std::string help = {});

    Context& context_;
    Kind scripts_{"vrrp_script", {}};
    Kind files_{"track_file", {}};
    Kind processes_{"vrrp_track_process", {}};
    Kind bfds_{"bfd_instance", {}};
};

/// secrets.cpp: there is one behind the keyword.
void note_secret(Context& context, const Node& node, SecretKind kind);
/// secrets.cpp: tells of those that every user of the host can read.
void validate_secrets(Context& context);

/// validate_interfaces.cpp: what is said of interfaces against the usable instances.
void validate_interfaces(Context& context);
/// validate.cpp: puts the defaults in, makes the cross checks, and drops instances that cannot be used.
void validate(Context& context);
/// static_objects.cpp: interfaces that an instance tracks because its routes and rules use them.
void track_devices_of_objects(VrrpInstance& instance);
/// static_objects.cpp: static_ lines and the track groups that they name, when these are settled.
void validate_static_objects(Context& context);
/// validate_groups.cpp: what sync groups and track groups say, held against the instances that are left. `unusable`: names of those that are not.
void validate_groups(Context& context, const std::unordered_set<std::string_view>& unusable, TrackingValidator& tracking);

}  // namespace vigil::config
