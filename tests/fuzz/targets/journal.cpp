#include <cstddef>
#include <cstdint>

#include "engine/core/journal.h"
#include "tests/fuzz/check.h"

// A journal comes from a file that anybody may have written. Whatever it holds, a replay ends with a transcript or a reason.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto replay = vigil::engine::replay_journal({data, size});
    if (replay) FUZZ_CHECK(replay->is_complete || !to_string(replay->stopped_by).empty());
    return 0;
}
