#include "ipvs/checkers/http_judge.h"

#include <gtest/gtest.h>

using namespace vigil::checkers;

namespace {

/// The complaint about an answer; "" for none.
std::string complaint(const UrlSpec& spec, unsigned status, std::string_view body) {
    std::shared_ptr<const Regex> regex;
    if (spec.regex) regex = *Regex::compile(*spec.regex);
    HttpJudge judge(spec, regex);
    judge.on_status(status);
    judge.on_body(body);
    judge.on_end();
    EXPECT_TRUE(judge.is_settled());
    return judge.complaint().value_or("");
}

// RFC 1321 §A.5.
const Md5 md5_of_abc = *read_md5("900150983cd24fb0d6963f7d28e17f72");

}  // namespace

TEST(HttpJudge, WithNothingSaidTheStatusIsASuccess) {
    const UrlSpec spec;
    EXPECT_EQ(complaint(spec, 200, ""), "");
    EXPECT_EQ(complaint(spec, 299, ""), "");
    EXPECT_EQ(complaint(spec, 300, ""), "HTTP status 300 where 200-299 is expected");
    EXPECT_EQ(complaint(spec, 503, ""), "HTTP status 503 where 200-299 is expected");
}

TEST(HttpJudge, StatusRangesAreAlternatives) {
    UrlSpec spec;
    spec.status = {{200, 200}, {401, 403}};
    EXPECT_EQ(complaint(spec, 402, ""), "");
    EXPECT_EQ(complaint(spec, 201, ""), "HTTP status 201 where 200, 401-403 is expected");
}

TEST(HttpJudge, DigestAloneDoesNotAskForAStatus) {
    UrlSpec spec;
    spec.digest = md5_of_abc;
    EXPECT_EQ(complaint(spec, 404, "abc"), "");
    EXPECT_EQ(complaint(spec, 200, "abd"), "digest 4911e516e5aa21d327512e0c8b197616 instead of 900150983cd24fb0d6963f7d28e17f72");
    spec.status = {{200, 200}};
    EXPECT_EQ(complaint(spec, 404, "abc"), "HTTP status 404 where 200 is expected");
}

TEST(HttpJudge, RegexMustMatchOrMustNot) {
    UrlSpec spec;
    spec.regex = RegexSpec{.pattern = "ok"};
    EXPECT_EQ(complaint(spec, 500, "all is ok"), "");
    EXPECT_EQ(complaint(spec, 200, "nothing"), "the body does not match the regex");
    spec.regex->must_not_match = true;
    EXPECT_EQ(complaint(spec, 200, "nothing"), "");
    EXPECT_EQ(complaint(spec, 200, "all is ok"), "the body matches the regex that it must not match");
}

TEST(HttpJudge, AllThatIsSaidMustHold) {
    UrlSpec spec;
    spec.digest = md5_of_abc;
    spec.regex = RegexSpec{.pattern = "a"};
    EXPECT_EQ(complaint(spec, 200, "abc"), "");
    EXPECT_NE(complaint(spec, 200, "abd"), "");
    spec.regex->pattern = "z";
    EXPECT_EQ(complaint(spec, 200, "abc"), "the body does not match the regex");
}

TEST(HttpJudge, ABodyThatNobodyJudgesIsLeft) {
    const UrlSpec spec;
    HttpJudge judge(spec, nullptr);
    judge.on_status(200);
    const std::string piece(1024, 'x');
    for (int i = 0; i < 63; ++i) judge.on_body(piece);
    EXPECT_FALSE(judge.is_settled());
    judge.on_body(piece);
    EXPECT_TRUE(judge.is_settled());
    EXPECT_EQ(judge.complaint(), std::nullopt);
}

TEST(HttpJudge, ARegexThatIsFoundEndsTheReading) {
    UrlSpec spec;
    spec.regex = RegexSpec{.pattern = "ok"};
    HttpJudge judge(spec, *Regex::compile(*spec.regex));
    judge.on_status(200);
    judge.on_body("ok");
    judge.on_body(std::string(16 * 1024, '-'));
    EXPECT_TRUE(judge.is_settled());
    EXPECT_EQ(judge.complaint(), std::nullopt);
}

TEST(HttpJudge, AnEndlessBodyFails) {
    UrlSpec spec;
    spec.digest = md5_of_abc;
    HttpJudge judge(spec, nullptr);
    judge.on_status(200);
    const std::string piece(1 << 20, 'x');
    for (int i = 0; i < 300 && !judge.is_settled(); ++i) judge.on_body(piece);
    EXPECT_EQ(judge.complaint(), "the body has more than 256 MiB");
}

TEST(HttpJudge, ReadsDigests) {
    EXPECT_EQ(to_string(*read_md5("900150983CD24FB0D6963F7D28E17F72")), "900150983cd24fb0d6963f7d28e17f72");
    EXPECT_EQ(read_md5("900150983cd24fb0d6963f7d28e17f7"), std::nullopt);
    EXPECT_EQ(read_md5("g00150983cd24fb0d6963f7d28e17f72"), std::nullopt);
}
