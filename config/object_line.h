#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "config/interpreter.h"
#include "config/name_tables.h"
#include "config/option_words.h"
#include "config/route_model.h"
#include "config/values.h"
#include "config/words.h"

namespace vigil::config {

/// `from 10.0.0.0/8`, `default`: a prefix whose family may not be known yet.
struct PrefixWord {
    std::optional<Prefix> prefix;   ///< absent: everything, in whatever family the line turns out to have
    std::string_view word;
};

/// What route and rule lines have in common: options with values, any of which drops the whole line when it cannot be understood, because half a route
/// leads packets astray. Every function that returns a bool or an optional has reported why when it says no.
class ObjectLine {
protected:
    /// `what`: "route", "rule". Both arguments outlive the object.
    ObjectLine(Context& context, const Node& item, OptionLine line, std::string_view what, bool is_static)
        : context_(context), item_(item), line_(line), what_(what), is_static_(is_static) {}

    bool is_at_end() const { return next_ >= item_.word_count(); }
    std::string_view peek() const { return item_.word(next_); }
    std::string_view take() { return item_.word(next_++); }
    /// Takes the next word when it is `word`.
    bool take_if(std::string_view word);

    bool drop(std::string_view part, std::string message, std::string help = {});
    void warn(std::string_view part, std::string message, std::string help = {}) {
        context_.reporter.warning(item_.line(), part, std::move(message), std::move(help));
    }
    /// For a word that this line does not know.
    bool drop_unknown(std::string_view word);

    /// The word behind an option.
    std::optional<std::string_view> value_of(std::string_view option);
    std::optional<std::uint32_t> number_of(std::string_view option, std::uint32_t low, std::uint32_t high);
    /// A name of iproute2's tables, or a number.
    std::optional<std::uint32_t> name_of(std::string_view option, NameKind kind);
    /// [SRC/]DST.
    std::optional<std::uint32_t> realms_of(std::string_view option);
    std::optional<IpAddress> address_of(std::string_view option);
    /// An address with or without prefix length, or one of default, any, all.
    std::optional<PrefixWord> prefix_of(std::string_view option);
    std::optional<PrefixWord> read_prefix(std::string_view word);
    std::optional<std::string_view> device_of(std::string_view option);

    /// Sets `target` to it, as long as it was not set before.
    bool set_device(std::string_view option, std::string_view& target);
    bool set_table(std::string_view option, std::uint32_t& table);

    /// The family that the line has by one of its words. False: another word said otherwise.
    bool claim_family(Family family, std::string_view word);
    Family family() const { return family_.value_or(Family::ipv4); }
    /// Of that family, whatever it has turned out to be.
    Prefix settle(const PrefixWord& prefix) const { return prefix.prefix.value_or(Prefix{{{}, family()}, 0}); }

    /// `protocol`, `no_track` and `track_group`, which belong together: what we track is known by its protocol.
    struct Tracking {
        std::optional<std::uint8_t> protocol;
        std::string_view protocol_word;
        std::string_view track_group;
        std::string_view track_group_word;
        bool no_track = false;
    };
    bool read_protocol();
    bool read_track_group();
    /// What remains of them when the line is read.
    void settle_tracking();

    /// encapsulation.cpp: what stands behind `encap`.
    bool read_encapsulation(Encapsulation& encapsulation);
    bool read_mpls(Encapsulation& encapsulation);
    /// False: the next word is none of a tunnel's. nullopt: it is, and has been reported.
    std::optional<bool> read_tunnel_word(Encapsulation& encapsulation);

    Context& context_;
    const Node& item_;
    OptionLine line_;
    std::string_view what_;
    bool is_static_;                 ///< of a static_ list
    std::size_t next_ = 0;
    std::optional<Family> family_;
    std::string_view family_word_;   ///< that decided it
    Tracking tracking_;
};

}  // namespace vigil::config
