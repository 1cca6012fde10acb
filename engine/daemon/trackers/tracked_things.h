#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vigil::daemon {

enum class ThingKind : std::uint8_t { interface, script, file, process, bfd, track_group };
constexpr std::size_t thing_kind_count = 6;

/// Position in TrackedThings.
enum class ThingIndex : std::uint32_t { none = ~0u };
constexpr std::size_t to_number(ThingIndex index) { return static_cast<std::size_t>(index); }

/// Something that instances track, as it stands now.
struct Thing {
    ThingKind kind = ThingKind::interface;
    std::string name;
    bool is_known = true;     ///< false: a script that has not ended yet; nothing is made of it, and who needs it waits
    bool is_ignored = false;  ///< a script that may not run: as if nobody tracked it
    bool is_up = false;       ///< interface up, script succeeded, process has its quorum, BFD session Up
    int value = 0;            ///< of a file
};

/// All of them: the one place where trackers write and where router_tracking reads. Control thread.
class TrackedThings {
public:
    /// Called after each change, with what changed.
    using Listener = std::function<void(ThingIndex)>;

    /// One that is not there yet.
    ThingIndex add(Thing thing);
    /// Whoever held the index must forget it.
    void remove(ThingIndex index);
    ThingIndex find(ThingKind kind, std::string_view name) const;
    const Thing& operator[](ThingIndex index) const { return things_[to_number(index)]; }
    const std::vector<ThingIndex>& of_kind(ThingKind kind) const { return by_kind_[static_cast<std::size_t>(kind)]; }

    /// It is known from now on. Tells the listener when that, or the state, is new.
    void set_up(ThingIndex index, bool is_up);
    void set_value(ThingIndex index, int value);
    /// Without telling anybody: nothing is known of it any more, or it may not run.
    void forget_state(ThingIndex index);
    void set_ignored(ThingIndex index, bool is_ignored) { things_[to_number(index)].is_ignored = is_ignored; }

    /// There is one at a time; an empty one stops it.
    void listen(Listener listener) { listener_ = std::move(listener); }

private:
    using Names = std::unordered_map<std::string, ThingIndex>;

    void tell(ThingIndex index) {
        if (listener_) listener_(index);
    }

    std::vector<Thing> things_;
    std::vector<ThingIndex> free_;
    std::array<Names, thing_kind_count> names_;
    std::array<std::vector<ThingIndex>, thing_kind_count> by_kind_;
    Listener listener_;
};

}  // namespace vigil::daemon
