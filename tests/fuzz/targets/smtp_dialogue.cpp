#include <algorithm>
#include <cstdint>
#include <string>

#include "engine/daemon/smtp_dialogue.h"
#include "tests/fuzz/check.h"

// A server that says anything, in pieces of any size (the first octet's): every mail gets one verdict, nothing is said behind the end, and what is said
// is lines.

using namespace vigil::daemon;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t piece = data[0] % 16 + 1u;
    const Mail mail{"from@here", {"a@there", "b@there"}, "Subject: s\r\n\r\n.body\r\n"};
    SmtpDialogue dialogue("host", mail);
    int begun = 1;
    int judged = 0;
    const auto go_on = [&] {
        if (!dialogue.take_verdict()) return;
        ++judged;
        if (dialogue.is_over()) return;
        if (begun < 3) {
            ++begun;
            dialogue.begin(mail);
        } else {
            dialogue.quit();
        }
    };
    for (std::size_t i = 1; i < size; i += piece) {
        const bool was_over = dialogue.is_over();
        dialogue.on_octets({reinterpret_cast<const char*>(data) + i, std::min(piece, size - i)});
        go_on();
        const std::string output = dialogue.take_output();
        FUZZ_CHECK(output.empty() || output.ends_with("\r\n"));
        FUZZ_CHECK(!was_over || output.empty());
    }
    dialogue.on_end("the connection ended");
    go_on();
    FUZZ_CHECK(dialogue.is_over());
    FUZZ_CHECK(judged == begun);
    return 0;
}
