#include "ipvs/checkers/smtp_reader.h"

#include <gtest/gtest.h>

using vigil::checkers::SmtpReader;

TEST(SmtpReader, GreetsAsksAndQuits) {
    SmtpReader reader("checker.example");
    EXPECT_EQ(reader.take_output(), "");
    reader.on_octets("220 mail.example ESMTP\r\n");
    EXPECT_EQ(reader.take_output(), "HELO checker.example\r\n");
    EXPECT_FALSE(reader.is_good());
    reader.on_octets("250 mail.example\r\n");
    EXPECT_EQ(reader.take_output(), "QUIT\r\n");
    EXPECT_TRUE(reader.is_good());
    EXPECT_FALSE(reader.is_over());
    reader.on_octets("221 bye\r\n");
    EXPECT_TRUE(reader.is_over());
    EXPECT_TRUE(reader.is_good());
}

TEST(SmtpReader, RepliesMayHaveLinesAndComeInPieces) {
    SmtpReader reader("h");
    for (const char octet : std::string("220-first\r\n220 second\n250-a\r\n250 b\r\n")) reader.on_octets({&octet, 1});
    EXPECT_TRUE(reader.is_good());
}

TEST(SmtpReader, AnswerToQuitIsNotJudged) {
    for (const char* answer : {"421 no\r\n", "nonsense\r\n"}) {
        SmtpReader reader("h");
        reader.on_octets("220 a\r\n250 b\r\n");
        reader.on_octets(answer);
        EXPECT_TRUE(reader.is_over());
        EXPECT_TRUE(reader.is_good()) << answer;
    }
}

TEST(SmtpReader, ClosingAfterHeloIsGood) {
    SmtpReader reader("h");
    reader.on_octets("220 a\r\n250 b\r\n");
    reader.on_end();
    EXPECT_TRUE(reader.is_good());
}

TEST(SmtpReader, OtherCodesAreComplaints) {
    SmtpReader reader("h");
    reader.on_octets("554 go away\r\n");
    EXPECT_TRUE(reader.is_over());
    EXPECT_FALSE(reader.is_good());
    EXPECT_EQ(reader.complaint(), "the greeting is 554 where 220 is expected: 554 go away");
    EXPECT_EQ(reader.take_output(), "");
    SmtpReader second("h");
    second.on_octets("220 a\r\n500 what\r\n");
    EXPECT_EQ(second.complaint(), "the answer to HELO is 500 where 250 is expected: 500 what");
}

TEST(SmtpReader, OtherProtocolsAreComplaints) {
    SmtpReader reader("h");
    reader.on_octets("SSH-2.0-\x01OpenSSH\r\n");
    EXPECT_EQ(reader.complaint(), "this is not SMTP: SSH-2.0-.OpenSSH");
}

TEST(SmtpReader, ClosingEarlyIsAComplaint) {
    SmtpReader reader("h");
    reader.on_end();
    EXPECT_EQ(reader.complaint(), "the connection was closed where the greeting is expected");
}

TEST(SmtpReader, CodesWithinAReplyAreEqual) {
    SmtpReader reader("h");
    reader.on_octets("220-a\r\n250 b\r\n");
    EXPECT_FALSE(reader.is_good());
    EXPECT_EQ(reader.complaint(), "this is not SMTP: 250 b");
}

TEST(SmtpReader, LongLinesAndManyLinesAreComplaints) {
    SmtpReader reader("h");
    for (int i = 0; i < 3000 && !reader.is_over(); ++i) reader.on_octets("2");
    EXPECT_EQ(reader.complaint(), "a line has more than 2048 octets");
    SmtpReader second("h");
    for (int i = 0; i < 200 && !second.is_over(); ++i) second.on_octets("220-more\r\n");
    EXPECT_EQ(second.complaint(), "a reply has more than 100 lines");
}
