#pragma once

#include <string>
#include <vector>

#include "engine/core/messages.h"
#include "engine/core/tx_batch.h"

namespace vigil::engine {

/// What an engine did, as lines a person reads and a test compares: transitions with their reason and RFC section, what was noticed,
/// every advert and announcement sent. Times are seconds since the first instant given.
class Transcript {
public:
    /// `names` by RouterIndex.
    Transcript(std::vector<std::string> names, Instant start) : names_(std::move(names)), start_(start) {}

    void note(Instant at, std::string_view text);
    void event(const Event& event, Family family);
    /// Sent frames are read back by our own reader. Runs of equal adverts are folded: "... and 41 more until 12.000000".
    void sent(Instant at, const TxFrame& frame);
    /// Ends an open fold and returns the text.
    std::string finish();

private:
    std::string time(Instant at) const;
    std::string_view name(RouterIndex index) const;
    void line(Instant at, std::string_view text);
    void end_fold();

    std::vector<std::string> names_;
    Instant start_;
    std::string text_;
    struct Fold {
        std::string what;
        RouterIndex router = RouterIndex::none;
        std::size_t more = 0;
        Instant last{};
    };
    std::vector<Fold> folds_;   // one per router that is sending
};

/// "RFC 9568 §6.4.2: Active_Down_Timer fired"
std::string_view describe(Reason reason);
std::string_view to_string(State state);

}  // namespace vigil::engine
