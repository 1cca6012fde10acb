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
/// folded: "... (41 more until here)".
class Transcript {
public:
    /// `names` by RouterIndex.
    Transcript(std::vector<std::string> names, Instant start) : names_(std::move(names)), start_(start) {}

    void note(Instant at, std::string_view text);
    /// A line that may be said many times in a row.
    void repeated(Instant at, std::string what);
    void event(const Event& event, Family family);
    void heard(Instant at, const packet::ReceivedFrame& frame);
    /// Sent frames are read back by our own reader.
    void sent(Instant at, const TxFrame& frame);
    /// Ends open folds and returns the text.
    std::string finish();

private:
    struct Fold {
        std::string what;
        std::size_t more = 0;
        Instant last{};
    };

    std::string time(Instant at) const;
    std::string_view name(RouterIndex index) const;
    void line(Instant at, std::string_view text);
    void end_folds();

    std::vector<std::string> names_;
    Instant start_;
    std::string text_;
    std::vector<Fold> folds_;
};

/// "Active_Down_Timer fired (RFC 9568 §6.4.2)"
std::string_view describe(Reason reason);
std::string_view to_string(State state);

}  // namespace vigil::engine
