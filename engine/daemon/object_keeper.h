#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "arp/kernel/monitor.h"
#include "arp/kernel/object_programmer.h"
#include "config/model.h"
#include "engine/daemon/object_spec.h"

namespace vigil::daemon {

/// An address (static ones only: AddressKeeper has the others), a route or a rule, as the file has it.
using ObjectText = std::variant<config::StaticAddress, config::ConfiguredRoute, config::ConfiguredRule>;

/// Whose objects come and go together: a router's, or the static ones.
struct ObjectOwner {
    std::string name;              ///< of the router; empty: static
    std::size_t router = 0;        ///< its number in the plan
    bool steps_back = false;       ///< deleted_address step_back
    std::vector<ObjectText> objects;
};

/// Keeps the kernel's routes and rules equal to what the election says, and static objects for as long as the daemon runs. What is deleted by somebody else
/// is put back; what the kernel refuses is told once with its place in the file, and tried again with growing distance, at once when an interface or an address
/// comes that it may have waited for.
///
/// Lives as long as the VRRP process: a reload is configure() with other owners, which touches only what differs. A router without objects costs
/// nothing here. Control thread.
class ObjectKeeper {
public:
    /// Both outlive it.
    ObjectKeeper(arp::kernel::Monitor& monitor, arp::kernel::NetlinkSocket& socket) : monitor_(monitor), socket_(socket) {}

    /// From now on these. What an owner of the same name had before goes on as it is; what nobody has any more is taken away at once, what is new waits
    /// for apply(). `configuration` is where the texts come from.
    void configure(std::vector<ObjectOwner> owners, const config::Configuration& configuration);
    /// A router's objects shall be there, or not.
    void want(std::size_t router, bool is_wanted);
    void want_all(bool is_wanted);

    bool has_work(Instant now) const { return !dirty_.empty() || next_attempt_ <= now; }
    /// Takes away what is no longer wanted: rules, routes, addresses. Before the addresses of routers go.
    void withdraw(const std::function<void()>& between_sends = {});
    /// Sets what is wanted and not there: addresses, routes, rules. When the addresses of routers are there.
    void apply(Instant now, const std::function<void()>& between_sends = {});

    /// Returns the routers that must step back because somebody deleted an object of theirs.
    std::vector<std::size_t> on_events(const std::vector<arp::kernel::KernelEvent>& events, Instant now);

    /// Of static objects: whether all that name the group are there.
    bool is_group_complete(std::string_view track_group) const;
    /// Groups that have become complete, or no longer are, since the last call.
    std::vector<std::pair<std::string, bool>> take_changed_groups();

    /// At the start: removes these from the kernel as they would be set. `only_unmarked`: those with a protocol of their own, which find_marked_objects()
    /// does not find.
    void remove_planned(bool only_unmarked);

private:
    using ObjectNumber = std::uint32_t;
    /// Why an object that is there may not be.
    enum class Doubt : std::uint8_t {
        none,
        lost,      ///< its interface or an address went: the kernel takes routes away without a word
        deleted,   ///< by somebody
        replaced,  ///< somebody's route stands in its place
    };
    struct Object {
        ObjectText text;
        std::uint32_t owner = 0;
        bool is_present = false;
        bool is_foreign = false;   ///< a static address that was there before: not ours to remove
        bool is_given_up = false;  ///< somebody deleted it, and no_track lets him
        bool is_dirty = false;     ///< in dirty_
        Doubt doubt = Doubt::none;
        std::uint32_t device = 0;  ///< number of the interface that it was set on; 0: the kernel chose, or there are several
        arp::kernel::EncodedRequest removal;   ///< as it was set
    };
    struct Owner {
        std::string name;
        std::size_t router = 0;
        bool steps_back = false;
        bool is_wanted = false;
        ObjectNumber first = 0;
        ObjectNumber behind = 0;
    };
    struct Refusal {
        Instant next_attempt{};
        Nanoseconds delay{0};
    };
    struct Deletions {
        Instant last{};
        unsigned count = 0;
    };
    /// One object's request of a batch.
    struct Requests {
        std::vector<arp::kernel::EncodedRequest> requests;
        std::vector<ObjectNumber> objects;   ///< of additions
        std::vector<std::string> texts;      ///< of removals
    };
    struct Encoded {
        arp::kernel::EncodedRequest addition;
        arp::kernel::EncodedRequest removal;
        std::uint32_t device = 0;
    };
    struct Before {
        std::vector<Owner> owners;
        std::vector<Object> objects;
        std::unordered_map<ObjectNumber, Refusal> refused;
        std::unordered_map<ObjectNumber, Deletions> deletions;
    };

    // object_keeper.cpp
    void mark_dirty(ObjectNumber object);
    void want(Owner& owner, bool is_wanted);
    bool is_wanted(const Object& object) const { return owners_[object.owner].is_wanted && !object.is_given_up; }
    void retry_due(Instant now);
    std::vector<ObjectNumber> take_dirty(bool wanted);
    void add_removal(Object& object, const std::string& owner, Requests& batch);
    void remove(const Requests& batch, const std::function<void()>& between_sends);
    void add_addition(ObjectNumber number, const HostNames& names, Requests& batch, Instant now);
    bool is_left_to_others(ObjectNumber number, std::uint32_t device);
    void settle(ObjectNumber number, const arp::kernel::KernelError& verdict, Instant now);
    void set_present(Object& object, bool is_present);
    void postpone(ObjectNumber number, const std::string& why, Instant now, bool is_loss);
    void say(const std::string& text, bool is_error);
    void end_lines();
    tl::expected<Encoded, std::string> encode(const Object& object, const HostNames& names) const;
    HostNames host_names();
    arp::kernel::ObjectProgrammer* programmer();
    static std::string_view group_of(const Object& object);
    static std::string describe(const ObjectText& object, const std::string& owner);
    std::string describe(const Object& object) const { return describe(object.text, owners_[object.owner].name); }
    std::string place_of(const Object& object) const;

    // object_events.cpp
    void index_places();
    bool is_ours(std::uint32_t port_id) const;
    void on_link(const arp::kernel::LinkEvent& event, Instant now);
    void on_address(const arp::kernel::AddressEvent& event, Instant now, std::vector<std::uint32_t>& bereft, std::vector<std::size_t>& stepping_back);
    Doubt deletion_on(std::uint32_t device) const;
    void on_devices_without_addresses(const std::vector<std::uint32_t>& devices);
    template <typename State>
    void on_object_gone(const State& state, Doubt cause, Instant now, std::vector<std::size_t>& stepping_back);
    void doubt(ObjectNumber number, Doubt cause);
    void lose(ObjectNumber number, Doubt cause, Instant now, std::vector<std::size_t>& stepping_back);
    bool is_deleted_too_often(ObjectNumber number, Instant now);
    void retry_soon(Refusal& refusal, Instant now);

    // object_succession.cpp
    void adopt(Before& before);

    arp::kernel::Monitor& monitor_;
    arp::kernel::NetlinkSocket& socket_;
    std::optional<arp::kernel::ObjectProgrammer> programmer_;   // made when it is needed
    std::shared_ptr<config::TextPool> texts_;                   // what `text` points into
    std::vector<std::string> files_;
    std::vector<Owner> owners_;
    std::vector<Object> objects_;                               // one owner's behind the other's; of one owner addresses, routes, rules
    std::unordered_map<std::size_t, std::uint32_t> owner_of_router_;
    std::unordered_multimap<std::size_t, ObjectNumber> by_place_;   // what a message may be about
    std::map<std::vector<std::byte>, unsigned> holders_;        // by removal: how many objects that are there are this one in the kernel
    std::vector<ObjectNumber> dirty_;
    std::unordered_map<ObjectNumber, Refusal> refused_;
    std::unordered_map<ObjectNumber, Deletions> deletions_;
    std::map<std::string, bool, std::less<>> groups_;           // track group -> complete
    std::vector<std::string> changed_groups_;
    static constexpr unsigned lines_per_batch = 20;
    unsigned lines_left_ = lines_per_batch;
    unsigned lines_withheld_ = 0;
    Instant next_attempt_ = never;                              // the earliest of refused_
    static constexpr Instant never{std::numeric_limits<std::int64_t>::max()};
};

}  // namespace vigil::daemon
