#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/core/messages.h"
#include "engine/core/tx_batch.h"
#include "packet/frame.h"

namespace vigil::engine {

/// What an engine heard and did, as lines a person reads and a test compares: transitions with their reason and RFC section, what was
/// noticed, every advert heard or sent, every announcement. Times are seconds since the first instant given. Equal lines in a row are
/// folded, and the longest silence between them is told, because it is what timers see: "... (41 more until here, at most
/// 1.004 s apart)". Lines are in order of time.
class Transcript {
public:
    /// `names` by RouterIndex.
    Transcript(std::vector<std::string> names, Instant start) : names_(std::move(names)), start_(start) {}

    /// From here on routers have these names: a reload numbered them anew.
    void rename(std::vector<std::string> names) { names_ = std::move(names); }

    void note(Instant at, std::string_view text);
    /// A line that may be said many times in a row.
    void repeated(Instant at, std::string what);
    /// `router`: the record of event.router. `more` is put behind the line.
    void event(const Event& event, const VirtualRouter& router, std::string_view more = {});
    /// `outcome` is put behind the line: what the engine made of the advert.
    void heard(Instant at, const packet::ReceivedFrame& frame, std::string_view outcome = {});
    /// Sent frames are read back by our own reader.
    void sent(Instant at, const TxFrame& frame) { repeated(at, describe_sent(frame)); }
    /// The line that sent() would write.
    std::string describe_sent(const TxFrame& frame) const;
    /// Ends open folds and returns the text.
    std::string finish();
    /// "12.345678": seconds since the start.
    std::string time(Instant at) const;

private:
    struct Fold {
        std::string what;
        std::size_t more = 0;
        Instant last{};
        Nanoseconds longest_silence{0};
    };
    struct Line {
        Instant at;
        std::string text;
    };

    std::string_view name(RouterIndex index) const;
    void line(Instant at, std::string text) { lines_.push_back({at, std::move(text)}); }
    void end_folds();

    std::vector<std::string> names_;
    Instant start_;
    std::string text_;
    std::vector<Line> lines_;    ///< since the last event or note; not yet in order, because folds end late
    std::vector<Fold> folds_;
};

/// "Active_Down_Timer fired (RFC 9568 §6.4.2)"; version 2 routers obey RFC 3768, whose sections have the same numbers.
std::string describe(Reason reason, VrrpVersion version);
/// What to_string() says in one word, as half a sentence with its section: "TTL or Hop Limit is not 255 (RFC 9568 §7.1)".
std::string_view describe(packet::ReceiveError error);
/// "v3 advert vrid 51 priority 100 interval 100 cs", and what is unusual about it.
std::string describe(const packet::ReceivedFrame& frame);
std::string_view to_string(State state);

}  // namespace vigil::engine
