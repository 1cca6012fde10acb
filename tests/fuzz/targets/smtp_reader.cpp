#include <algorithm>
#include <cstdint>
#include <string>

#include "ipvs/checkers/smtp_reader.h"
#include "tests/fuzz/check.h"

// A mail server that says anything, in pieces of any size (the first octet's): it is good or there is a complaint, and what is said to it is a line or nothing.

using vigil::checkers::SmtpReader;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t piece = data[0] % 16 + 1u;
    SmtpReader reader("host");
    int lines = 0;
    for (std::size_t i = 1; i < size; i += piece) {
        const bool was_over = reader.is_over();
        const bool was_good = reader.is_good();
        reader.on_octets({reinterpret_cast<const char*>(data) + i, std::min(piece, size - i)});
        const std::string output = reader.take_output();
        FUZZ_CHECK(output.empty() || output.ends_with("\r\n"));
        FUZZ_CHECK(output.empty() || !was_over);
        FUZZ_CHECK(!was_good || reader.is_good());
        lines += output.empty() ? 0 : 1;
    }
    FUZZ_CHECK(lines <= 2);
    reader.on_end();
    FUZZ_CHECK(reader.is_over());
    FUZZ_CHECK(reader.is_good() == reader.complaint().empty());
    FUZZ_CHECK(reader.complaint().size() < 200);
    return 0;
}
