#pragma once

#include <gtest/gtest.h>

#include <cstring>

#include "tests/engine/core/engine_harness.h"

namespace vigil::test {

/// Whether the only router takes this advert. One that is refused changes nothing of it.
inline bool accepts(Harness& harness, const FrameBuilder& frame, Instant arrival) {
    const engine::VirtualRouter before = harness.router();
    const std::uint64_t accepted = harness.counters().adverts_received;
    harness.receive(frame, arrival);
    const bool is_accepted = harness.counters().adverts_received == accepted + 1;
    EXPECT_TRUE(is_accepted || std::memcmp(&before, &harness.router(), sizeof before) == 0) << "a refused frame changed the record";
    return is_accepted;
}

}  // namespace vigil::test
