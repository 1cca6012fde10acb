#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "ipvs/checkers/http2_reader.h"
#include "ipvs/checkers/http_judge.h"
#include "ipvs/checkers/http_reader.h"
#include "tests/fuzz/check.h"

// A server that answers anything, in pieces of any size. The first octet chooses HTTP/1 or 2, what is judged, and the size of the pieces. The judge hears one
// status, then the body, then the end, and nothing behind it; a complete answer that is not settled early has been judged.

using namespace vigil::checkers;

namespace {

/// Between reader and judge.
class Witness : public HttpListener {
public:
    explicit Witness(HttpJudge& judge) : judge_(judge) {}
    void on_status(unsigned code) override {
        FUZZ_CHECK(!has_status_ && !has_ended_);
        has_status_ = true;
        judge_.on_status(code);
    }
    void on_body(std::string_view octets) override {
        FUZZ_CHECK(has_status_ && !has_ended_);
        judge_.on_body(octets);
    }
    void on_end() override {
        FUZZ_CHECK(has_status_ && !has_ended_);
        has_ended_ = true;
        judge_.on_end();
    }
    bool is_settled() const override { return judge_.is_settled(); }
    bool has_ended() const { return has_ended_; }

private:
    HttpJudge& judge_;
    bool has_status_ = false;
    bool has_ended_ = false;
};

UrlSpec spec_of(std::uint8_t choice) {
    UrlSpec spec;
    if (choice & 1) spec.digest = Md5{};
    if (choice & 2) spec.regex = RegexSpec{.pattern = "(?<=a)b+c$"};
    if (choice & 4) spec.status = {{200, 299}, {404, 404}};
    return spec;
}

template <typename Reader>
void read_all(Reader& reader, const Witness& witness, const std::uint8_t* data, std::size_t size, std::size_t piece) {
    for (std::size_t at = 0; at < size; at += piece) {
        const auto before = reader.state();
        const auto after = reader.on_octets({reinterpret_cast<const char*>(data) + at, std::min(piece, size - at)});
        FUZZ_CHECK(before == HttpReader::State::reading || before == after);
        FUZZ_CHECK(reader.take_output().size() < 1 << 20);
    }
    if (!witness.is_settled()) reader.on_end();
    FUZZ_CHECK(witness.is_settled() || reader.state() == HttpReader::State::broken);
    FUZZ_CHECK((reader.state() == HttpReader::State::broken) == !reader.error().empty());
    FUZZ_CHECK(!witness.has_ended() || reader.state() == HttpReader::State::complete);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::uint8_t choice = data[0];
    const UrlSpec spec = spec_of(choice);
    HttpJudge judge(spec, spec.regex ? *Regex::compile(*spec.regex) : nullptr);
    Witness witness(judge);
    const std::size_t piece = (choice & 8) ? 1 + (choice >> 5) : 1024;
    if (choice & 16) {
        Http2Reader reader(witness, "/", "host", "http");
        read_all(reader, witness, data + 1, size - 1, piece);
    } else {
        HttpReader reader(witness, "GET /");
        read_all(reader, witness, data + 1, size - 1, piece);
    }
    return 0;
}
