#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "engine/daemon/mail_queue.h"
#include "engine/daemon/mail_text.h"
#include "engine/daemon/smtp_dialogue.h"

namespace vigil::daemon {
namespace {

using namespace std::chrono_literals;

Instant at(std::chrono::seconds time) { return Instant{} + Nanoseconds{time}; }

TEST(MailSubject, IsWordedAsKeepalivedDoes) {
    EXPECT_EQ(subject_of("LVS_1", alert_text("Instance", "VI_1", OperatorState::master)), "[LVS_1] VRRP Instance VI_1 - Entering MASTER state");
    EXPECT_EQ(alert_text("Instance", "VI_1", OperatorState::backup), "VRRP Instance VI_1 - Entering BACKUP state");
    EXPECT_EQ(alert_text("Group", "VG_1", OperatorState::fault), "VRRP Group VG_1 - Entering FAULT state");
    EXPECT_EQ(alert_text("Instance", "VI_1", OperatorState::stop), "VRRP Instance VI_1 - Stopping");
    EXPECT_EQ(alert_text("Instance", "VI_1", OperatorState::deleted), "VRRP Instance VI_1 - Deleted");
}

TEST(MailSubject, HasAtMost256OctetsAndNoHalfCharacter) {
    EXPECT_EQ(subject_of("r", std::string(1000, 'x')).size(), 256u);
    std::string text;
    for (int i = 0; i < 200; ++i) text += "\xc3\xa4";
    const std::string subject = subject_of("r", text);   // 4 octets, then pairs
    EXPECT_EQ(subject.size(), 256u);
    EXPECT_EQ(subject_of("rr", text).size(), 255u);
}

MailHead head() { return {"keepalived@example.com", {"a@example.com", "b@example.com"}, "[r] subject", 1'700'000'000, "1.2.3", "host"}; }

std::string with_subject(std::string subject) {
    MailHead one = head();
    one.subject = std::move(subject);
    return compose_mail(one, "body\n");
}

/// Lines of a message, which must all end in CRLF.
std::vector<std::string> lines(const std::string& message) {
    std::vector<std::string> result;
    std::size_t begin = 0;
    while (begin < message.size()) {
        const std::size_t end = message.find("\r\n", begin);
        EXPECT_NE(end, std::string::npos);
        if (end == std::string::npos) break;
        result.push_back(message.substr(begin, end - begin));
        EXPECT_EQ(result.back().find_first_of("\r\n"), std::string::npos);
        begin = end + 2;
    }
    return result;
}

/// The value of a header with its continuation lines, empty when there is none.
std::vector<std::string> header(const std::string& message, const std::string& name) {
    std::vector<std::string> found;
    for (const std::string& line : lines(message)) {
        if (line.empty()) break;
        if (line.starts_with(name + ": ")) found.push_back(line.substr(name.size() + 2));
        else if (!found.empty() && line.starts_with(' ')) found.push_back(line);
        else if (!found.empty()) break;
    }
    return found;
}

TEST(MailText, HasTheHeadersAndTheBody) {
    ::setenv("TZ", "UTC", 1);
    const std::string expected =
        "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nFrom: keepalived@example.com\r\nSubject: [r] subject\r\nX-Mailer: Keepalived\r\n"
        "To: a@example.com,\r\n b@example.com\r\nMessage-ID: <1.2.3@host>\r\nAuto-Submitted: auto-generated\r\n\r\nbody\r\nmore\r\n";
    EXPECT_EQ(compose_mail(head(), "body\nmore\n"), expected);
    EXPECT_EQ(compose_mail(head(), "body\nmore"), expected);
}

TEST(MailText, NoNameMakesAHeader) {
    const std::string message = with_subject(subject_of("r\r\nBcc: x@y", alert_text("Instance", "a\r\n\r\nbody\n.\r\n", OperatorState::master)));
    EXPECT_EQ(header(message, "Subject"), (std::vector<std::string>{"[r??Bcc: x@y] VRRP Instance a????body?.?? - Entering MASTER state"}));
    EXPECT_TRUE(header(message, "Bcc").empty());
    MailHead hostile = head();
    hostile.from = "a\r\nBcc: x@y";
    hostile.to = {"b\nBcc: x@y"};
    hostile.host = hostile.id = "c\rBcc: x@y";
    EXPECT_TRUE(header(compose_mail(hostile, "body\r\n\r\n"), "Bcc").empty());
}

TEST(MailText, LongSubjectsAreFoldedAtBlanks) {
    std::string subject = "[r]";
    for (int i = 0; i < 40; ++i) subject += " word" + std::to_string(i);
    const std::vector<std::string> folded = header(with_subject(subject), "Subject");
    EXPECT_GT(folded.size(), 3u);
    std::string joined;
    for (const std::string& line : folded) {
        EXPECT_LE(line.size(), 78u);
        joined += line;
    }
    EXPECT_EQ(joined, subject);
    EXPECT_EQ(header(with_subject(std::string(256, 'x')), "Subject"), (std::vector<std::string>{std::string(256, 'x')}));
}

/// "Stra\xc3\x9fe" in base64, worked out by hand: 53747261 C39F 65.
TEST(MailText, WhatIsNotAsciiIsEncoded) {
    const std::string message = with_subject("Stra\xc3\x9f" "e");
    EXPECT_EQ(header(message, "Subject"), (std::vector<std::string>{"=?UTF-8?B?U3RyYcOfZQ==?="}));
    const std::string body = compose_mail(head(), "Stra\xc3\x9f" "e = x \n");
    EXPECT_EQ(header(body, "Content-Transfer-Encoding"), (std::vector<std::string>{"quoted-printable"}));
    EXPECT_TRUE(body.ends_with("\r\n\r\nStra=C3=9Fe =3D x=20\r\n"));
    std::string all;
    for (int i = 1; i < 256; ++i) all += static_cast<char>(i);
    for (const std::string& line : lines(compose_mail({all, {all}, all, 0, all, all}, all + all))) {
        EXPECT_LE(line.size(), 998u);
        EXPECT_TRUE(std::all_of(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) >= ' '; }));
    }
    for (const std::string& line : header(with_subject(subject_of("r", all + all)), "Subject")) EXPECT_LE(line.size(), 76u);
}

TEST(MailText, LongLinesOfTheBodyAreSplit) {
    const std::string message = compose_mail(head(), std::string(5'000, 'x') + "\nshort\n");
    std::string joined;
    for (const std::string& line : lines(message.substr(message.find("\r\n\r\n") + 4))) {
        EXPECT_LE(line.size(), 76u);
        joined += line.ends_with('=') ? line.substr(0, line.size() - 1) : line + "\n";
    }
    EXPECT_EQ(joined, std::string(5'000, 'x') + "\nshort\n");
}

TEST(MailText, DotsAreStuffed) {
    EXPECT_EQ(dot_stuffed("a\r\n.\r\n..b\r\nc.\r\n"), "a\r\n..\r\n...b\r\nc.\r\n.\r\n");
    EXPECT_EQ(dot_stuffed(""), ".\r\n");
}

Mail mail(std::vector<std::string> to = {"x@y"}) { return {"from@here", std::move(to), "Subject: s\r\n\r\n.body\r\n"}; }

/// A conversation: what the server says, and what must be the answer.
void talk(SmtpDialogue& dialogue, std::initializer_list<std::pair<std::string, std::string>> turns) {
    for (const auto& [server, client] : turns) {
        dialogue.on_octets(server);
        EXPECT_EQ(dialogue.take_output(), client) << "after " << server;
    }
}

TEST(SmtpDialogue, SendsAMail) {
    SmtpDialogue dialogue("host", mail());
    EXPECT_EQ(dialogue.take_output(), "");   // the server speaks first
    talk(dialogue, {{"220 hello\r\n", "HELO host\r\n"},
                    {"250 ok\r\n", "MAIL FROM:<from@here>\r\n"},
                    {"250 ok\r\n", "RCPT TO:<x@y>\r\n"},
                    {"250 ok\r\n", "DATA\r\n"},
                    {"354 go\r\n", "Subject: s\r\n\r\n..body\r\n.\r\n"},
                    {"250 taken\r\n", ""}});
    const auto verdict = dialogue.take_verdict();
    ASSERT_TRUE(verdict);
    EXPECT_EQ(verdict->kind, MailVerdict::Kind::taken);
    EXPECT_EQ(verdict->text, "");
    EXPECT_FALSE(dialogue.take_verdict());
    dialogue.quit();
    talk(dialogue, {{"", "QUIT\r\n"}, {"221 bye\r\n", ""}});
    EXPECT_TRUE(dialogue.is_over());
    EXPECT_FALSE(dialogue.take_verdict());
}

TEST(SmtpDialogue, RepliesMayComeInPiecesAndOfManyLines) {
    SmtpDialogue dialogue("host", mail());
    for (const char c : std::string("220-hello\r\n220-we are\n220 here\r\n")) dialogue.on_octets(std::string(1, c));
    EXPECT_EQ(dialogue.take_output(), "HELO host\r\n");
    dialogue.on_octets("250-a\r\n250 b\r\n");
    EXPECT_EQ(dialogue.take_output(), "MAIL FROM:<from@here>\r\n");
}

void to_recipients(SmtpDialogue& dialogue) {
    dialogue.on_octets("220 hello\r\n");
    dialogue.on_octets("250 ok\r\n");
    dialogue.on_octets("250 ok\r\n");
    dialogue.take_output();
}

TEST(SmtpDialogue, ARefusedRecipientDoesNotKeepItFromTheOthers) {
    SmtpDialogue dialogue("host", mail({"a@y", "b@y"}));
    to_recipients(dialogue);
    talk(dialogue, {{"550 no such user\r\n", "RCPT TO:<b@y>\r\n"}, {"251 forwarded\r\n", "DATA\r\n"}});
    dialogue.on_octets("354 go\r\n250 taken\r\n");
    const auto verdict = dialogue.take_verdict();
    ASSERT_TRUE(verdict);
    EXPECT_EQ(verdict->kind, MailVerdict::Kind::taken);
    EXPECT_EQ(verdict->text, "refused <a@y>: 550 no such user");
}

TEST(SmtpDialogue, NoRecipientIsNoMail) {
    SmtpDialogue dialogue("host", mail({"a@y", "b@y"}));
    to_recipients(dialogue);
    dialogue.on_octets("550 no\r\n");
    dialogue.on_octets("553 no\r\n");
    EXPECT_EQ(dialogue.take_verdict()->kind, MailVerdict::Kind::refused);
    dialogue.take_output();
    dialogue.begin(mail());   // the server still has the sender of the first
    talk(dialogue, {{"", "RSET\r\n"}, {"250 ok\r\n", "MAIL FROM:<from@here>\r\n"}, {"250 ok\r\n", "RCPT TO:<x@y>\r\n"}});
}

TEST(SmtpDialogue, AGreylistedMailMayBeTriedAgain) {
    SmtpDialogue dialogue("host", mail());
    to_recipients(dialogue);
    dialogue.on_octets("451 come back\r\n");
    const auto verdict = dialogue.take_verdict();
    ASSERT_TRUE(verdict);
    EXPECT_EQ(verdict->kind, MailVerdict::Kind::failed);
    EXPECT_EQ(verdict->text, "refused <x@y>: 451 come back");
}

TEST(SmtpDialogue, SeveralMailsGoThroughOneSession) {
    SmtpDialogue dialogue("host", mail());
    to_recipients(dialogue);
    dialogue.on_octets("250 ok\r\n354 go\r\n250 taken\r\n");
    EXPECT_EQ(dialogue.take_verdict()->kind, MailVerdict::Kind::taken);
    dialogue.take_output();
    dialogue.begin(mail());
    EXPECT_EQ(dialogue.take_output(), "MAIL FROM:<from@here>\r\n");
}

TEST(SmtpDialogue, RefusalsOfEveryStep) {
    struct Case {
        std::vector<std::string> before;
        std::string reply;
        MailVerdict::Kind kind;
        std::string text;
    };
    const Case cases[]{
        {{}, "554 go away\r\n", MailVerdict::Kind::failed, "the server does not serve: 554 go away"},
        {{"220 a"}, "501 what\r\n", MailVerdict::Kind::failed, "the server does not take HELO: 501 what"},
        {{"220 a", "250 b"}, "550 no\r\n", MailVerdict::Kind::refused, "refused the sender <from@here>: 550 no"},
        {{"220 a", "250 b"}, "452 full\r\n", MailVerdict::Kind::failed, "refused the sender <from@here>: 452 full"},
        {{"220 a", "250 b", "250 c", "250 d"}, "554 no\r\n", MailVerdict::Kind::refused, "refused the mail: 554 no"},
        {{"220 a", "250 b", "250 c", "250 d"}, "250 what\r\n", MailVerdict::Kind::failed, "refused the mail: 250 what"},
        {{"220 a", "250 b", "250 c", "250 d", "354 e"}, "552 too big\r\n", MailVerdict::Kind::refused, "refused the mail: 552 too big"},
        {{"220 a", "250 b", "250 c"}, "421 closing\r\n", MailVerdict::Kind::failed, "the server closes the session: 421 closing"},
    };
    for (const Case& one : cases) {
        SmtpDialogue dialogue("host", mail());
        for (const std::string& line : one.before) dialogue.on_octets(line + "\r\n");
        EXPECT_FALSE(dialogue.take_verdict()) << one.text;
        dialogue.on_octets(one.reply);
        const auto verdict = dialogue.take_verdict();
        ASSERT_TRUE(verdict) << one.text;
        EXPECT_EQ(verdict->kind, one.kind) << one.text;
        EXPECT_EQ(verdict->text, one.text);
    }
}

TEST(SmtpDialogue, AServerThatLiesEndsTheSession) {
    for (const std::string& nonsense : {std::string("HTTP/1.1 400 Bad Request\r\n"), std::string("\r\n"), std::string("22\r\n"), std::string("2200 x\r\n"),
                                        std::string(10'000, 'x'), std::string("220-") + std::string(10'000, 'x'), std::string(5000, '\0')}) {
        SmtpDialogue dialogue("host", mail());
        dialogue.on_octets(nonsense);
        EXPECT_TRUE(dialogue.is_over());
        EXPECT_EQ(dialogue.take_verdict()->kind, MailVerdict::Kind::failed);
        dialogue.on_octets("220 hello\r\n");
        EXPECT_EQ(dialogue.take_output(), "");
    }
    SmtpDialogue dialogue("host", mail());
    for (int i = 0; i < 200 && !dialogue.is_over(); ++i) dialogue.on_octets("220-more\r\n");
    EXPECT_TRUE(dialogue.is_over());
    EXPECT_EQ(dialogue.take_verdict()->text, "the server sent a reply without end");
}

TEST(SmtpDialogue, AConnectionThatEndsFailsTheMailUnderWayOnly) {
    SmtpDialogue early("host", mail());
    early.on_octets("220 hello\r\n");
    early.on_end("gone");
    EXPECT_EQ(early.take_verdict()->text, "gone");
    SmtpDialogue late("host", mail());
    to_recipients(late);
    late.on_octets("250 ok\r\n354 go\r\n250 taken\r\n");
    EXPECT_EQ(late.take_verdict()->kind, MailVerdict::Kind::taken);
    late.on_end("gone");
    EXPECT_FALSE(late.take_verdict());
    EXPECT_TRUE(late.is_over());
}

class Queue : public testing::Test {
protected:
    void add(int i, Instant now, OperatorState state = OperatorState::master) {
        queue_.add("router " + std::to_string(i), state, [] { return std::string("body"); }, now, 1'700'000'000);
    }
    MailQueue queue_;
};

TEST_F(Queue, AFewChangesAreAMailEach) {
    EXPECT_TRUE(queue_.is_empty());
    EXPECT_FALSE(queue_.take(at(0s)));
    for (int i = 0; i < 10; ++i) add(i, at(1s));
    for (int i = 0; i < 10; ++i) EXPECT_EQ(queue_.take(at(1s))->text, "router " + std::to_string(i));
    EXPECT_TRUE(queue_.is_empty());
}

TEST_F(Queue, ThousandsAreElevenMails) {
    for (int i = 0; i < 65'280; ++i) add(i, at(1s), i < 65'000 ? OperatorState::master : OperatorState::fault);
    int mails = 0;
    while (queue_.take(at(1s))) ++mails;
    EXPECT_EQ(mails, 10);
    EXPECT_FALSE(queue_.is_empty());
    EXPECT_EQ(queue_.next_due(), at(61s));
    EXPECT_FALSE(queue_.take(at(60s)));
    const auto summary = queue_.take(at(61s));
    ASSERT_TRUE(summary);
    EXPECT_EQ(summary->text, "VRRP - 65270 changes of state");
    EXPECT_NE(summary->body.find("   64990 to MASTER\n"), std::string::npos) << summary->body.substr(0, 200);
    EXPECT_NE(summary->body.find("     280 to FAULT\n"), std::string::npos);
    EXPECT_NE(summary->body.find(": router 10\n"), std::string::npos);
    EXPECT_NE(summary->body.find(": router 1009\n"), std::string::npos);
    EXPECT_EQ(summary->body.find(": router 1010\n"), std::string::npos);
    EXPECT_TRUE(summary->body.ends_with("... and 64270 more\n"));
    EXPECT_TRUE(queue_.is_empty());
}

/// A router that flaps ten times a second, for an hour.
TEST_F(Queue, AFlappingRouterIsElevenMailsAMinute) {
    int mails = 0;
    for (int tenth = 0; tenth < 36'000; ++tenth) {
        const Instant now = at(0s) + std::chrono::milliseconds{100} * tenth;
        add(tenth, now);
        while (queue_.take(now)) ++mails;
    }
    EXPECT_LE(mails, 11 * 60);
    EXPECT_GE(mails, 60);
}

TEST_F(Queue, WhatNobodyTakesIsBounded) {
    for (const int distance : {0, 1, 61}) {   // seconds between two changes
        queue_ = MailQueue();
        for (int i = 0; i < 100'000; ++i) add(i, at(std::chrono::seconds{i * distance}));
        int mails = 0;
        std::size_t octets = 0;
        while (const auto draft = queue_.take(at(10'000'000s))) {
            ++mails;
            octets += draft->body.size();
        }
        EXPECT_EQ(mails, distance == 61 ? 21 : 11);
        EXPECT_LT(octets, 100'000u);
    }
}

TEST_F(Queue, AtTheEndTheRestIsDueAtOnce) {
    for (int i = 0; i < 12; ++i) add(i, at(1s));
    queue_.finish();
    int mails = 0;
    while (queue_.take(at(1s))) ++mails;
    EXPECT_EQ(mails, 11);
}

TEST_F(Queue, AMailThatFailedIsTheNextAgain) {
    add(0, at(1s));
    add(1, at(1s));
    queue_.put_back(*queue_.take(at(1s)));
    EXPECT_EQ(queue_.take(at(1s))->text, "router 0");
    EXPECT_EQ(queue_.take(at(1s))->text, "router 1");
}

}  // namespace
}  // namespace vigil::daemon
