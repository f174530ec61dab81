using System.Text;
using Godwit.Notifications;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Notifications;

/// <summary>Mail over real SMTP: what is said in which order, what is tried again, and what is said when it is refused.</summary>
public sealed class MailSenderTests
{
    private const string Plain = "AUTH PLAIN AGFkYQBTM0NSRVQ=";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>A command, what the server answers to it, what people are told, and how often it is tried.</summary>
    public static TheoryData<string, string, string, int> Refusals => new()
    {
        { "EHLO", "421 busy", "it said 421 busy", 3 },
        { "EHLO", "550-go\r\n550 away\u001b[2J", "it said 550 go away\uFFFD[2J", 1 },
        { "MAIL", "451 try later", "it said 451 try later", 3 },
        { "MAIL", "553 not you", "it said 553 not you", 1 },
        { "RCPT", "450 greylisted", "ada@example.com: it said 450 greylisted; bob@example.com: it said 450 greylisted", 3 },
        { "RCPT", "550 unknown", "ada@example.com: it said 550 unknown; bob@example.com: it said 550 unknown", 1 },
        { "RCPT TO:<bob@", "550 unknown", "bob@example.com: it said 550 unknown", 1 },
        { "RCPT TO:<bob@", "450 greylisted", "bob@example.com: it said 450 greylisted", 1 },
        { "DATA", "503 no", "it said 503 no", 1 },
        { ".", "552 too large", "it said 552 too large", 1 },
        { ".", "452 full", "it said 452 full", 3 },
        { "MAIL", "HTTP/1.1 400 Bad Request", "it does not speak SMTP: check the address and the port", 1 },
        { "MAIL", "", "the connection was lost (it was closed)", 3 },
    };

    /// <summary>The first words of what is no mail server.</summary>
    public static TheoryData<string> Strangers => new() { "SSH-2.0-OpenSSH", "", "abc", new string('2', 100_000), string.Concat(Enumerable.Repeat("220-more\r\n", 10_000)) };

    [Fact]
    public async Task A_mail_is_handed_over_to_all_receivers()
    {
        await using SmtpSink sink = new();

        await SendAsync(sink);

        // Nobody waits for the answer to the last word.
        while (sink.Commands.Count < 6)
        {
            await Task.Delay(10, Ct);
        }

        sink.Commands.ShouldBe(["EHLO [127.0.0.1]", "MAIL FROM:<godwit@example.com>", "RCPT TO:<ada@example.com>", "RCPT TO:<bob@example.com>", "DATA", "QUIT"]);
        sink.Mails.ShouldHaveSingleItem().ShouldStartWith("From: Godwit <godwit@example.com>\nTo: ada@example.com,\n bob@example.com\nSubject: ");
    }

    [Fact]
    public async Task A_password_is_sent_only_under_TLS()
    {
        using var certificate = SinkServer.SelfSigned();
        await using SmtpSink sink = new() { Certificate = certificate, Auth = "LOGIN PLAIN" };

        await SendAsync(sink, "ada@", "&password-env=SECRET", NotifySamples.Quick with { Trust = SinkServer.Trusting(certificate) });

        sink.Commands.Take(5).ShouldBe(["EHLO [127.0.0.1]", "STARTTLS", "TLS", "EHLO [127.0.0.1]", Plain]);
        sink.Mails.Count.ShouldBe(1);
    }

    [Fact]
    public async Task TLS_from_the_first_byte_and_the_older_login_work()
    {
        using var certificate = SinkServer.SelfSigned();
        await using SmtpSink sink = new() { Certificate = certificate, TlsFromTheStart = true, Auth = "CRAM-MD5 LOGIN" };

        await SendAsync(sink, "ada@", "&password-env=SECRET", NotifySamples.Quick with { Trust = SinkServer.Trusting(certificate) }, "smtps");

        sink.Commands.Take(5).ShouldBe(["TLS", "EHLO [127.0.0.1]", "AUTH LOGIN", "YWRh", "UzNDUkVU"]);
        sink.Mails.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Without_TLS_a_password_stays_here()
    {
        await using SmtpSink sink = new() { Auth = "PLAIN" };

        (await RefusalAsync(sink, "ada@", "&password-env=SECRET")).ShouldStartWith("it offers no TLS (STARTTLS), and a password is not sent in the clear");

        sink.Commands.ShouldBe(["EHLO [127.0.0.1]"]);
    }

    [Fact]
    public async Task A_certificate_must_be_vouched_for_unless_TLS_is_turned_off()
    {
        using var certificate = SinkServer.SelfSigned();
        await using SmtpSink sink = new() { Certificate = certificate };

        (await RefusalAsync(sink)).ShouldStartWith("TLS with it failed (");
        sink.Commands.ShouldNotContain(c => c.StartsWith("MAIL", StringComparison.Ordinal));

        await SendAsync(sink, more: "&tls=none");
        sink.Mails.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_refused_login_is_told_without_the_words_of_the_server()
    {
        using var certificate = SinkServer.SelfSigned();
        var trusting = NotifySamples.Quick with { Trust = SinkServer.Trusting(certificate) };
        await using SmtpSink sink = new() { Certificate = certificate, Auth = "PLAIN", Answers = new() { ["AUTH"] = $"535 no such thing as {Plain} S3CRET" } };
        await using SmtpSink strange = new() { Certificate = certificate, Auth = "GSSAPI" };

        (await RefusalAsync(sink, "ada@", "&password-env=SECRET", trusting)).ShouldBe("it refused the login of ada (535): check the user and the password");
        (await RefusalAsync(strange, "ada@", "&password-env=SECRET", trusting)).ShouldBe("it offers no login by PLAIN or LOGIN");
        (await RefusalAsync(strange, "ada@", "&password-env=NOWHERE", trusting)).ShouldStartWith("the environment variable NOWHERE is empty or not set");
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_refusal_is_a_sentence_and_is_tried_again_only_where_that_may_help(string command, string answer, string reason, int tries)
    {
        await using SmtpSink sink = new() { Answers = new() { [command] = answer } };

        (await RefusalAsync(sink)).ShouldBe(reason);

        sink.Commands.Count(c => c.StartsWith("EHLO", StringComparison.Ordinal)).ShouldBe(tries);
        sink.Mails.Count.ShouldBe(command is "RCPT TO:<bob@" ? 1 : command is "." ? tries : 0);
    }

    [Theory]
    [MemberData(nameof(Strangers))]
    public async Task What_is_no_mail_server_is_not_believed(string greeting)
    {
        await using SmtpSink sink = new() { Greeting = greeting };

        (await RefusalAsync(sink)).ShouldBe("it does not speak SMTP: check the address and the port");
    }

    [Fact]
    public async Task What_a_server_says_before_TLS_does_not_count_after_it()
    {
        using var certificate = SinkServer.SelfSigned();
        await using SmtpSink sink = new() { Certificate = certificate, Answers = new() { ["STARTTLS"] = "220 go on\r\n250-slipped in\r\n250 AUTH PLAIN" } };

        // The words come in the middle of the handshake at the latest, or are forgotten: they are never an answer to EHLO.
        (await RefusalAsync(sink, "ada@", "&password-env=SECRET", NotifySamples.Quick with { Trust = SinkServer.Trusting(certificate) })).ShouldNotBeEmpty();

        sink.Commands.ShouldNotContain(c => c.StartsWith("AUTH", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nobody_there_is_said()
    {
        SmtpSink sink = new();
        await sink.DisposeAsync();
        var target = NotifySamples.Target("smtp://no-such-host.invalid/?from=a@example.com&to=b@example.com");

        (await Should.ThrowAsync<NotSentException>(NotifySamples.Quick.SendAsync(target, NotifySamples.Failed(), TimeProvider.System, Ct))).Message.ShouldStartWith("it cannot be reached (");
    }

    private static Task SendAsync(SmtpSink sink, string user = "", string more = "", Delivery? delivery = null, string scheme = "smtp")
    {
        var target = NotifySamples.Target($"{scheme}://{user}127.0.0.1:{sink.Port}/?from=godwit@example.com&to=ada@example.com,bob@example.com{more}");
        return (delivery ?? NotifySamples.Quick).SendAsync(target, NotifySamples.Failed(), TimeProvider.System, Ct);
    }

    private static async Task<string> RefusalAsync(SmtpSink sink, string user = "", string more = "", Delivery? delivery = null)
    {
        var reason = (await Should.ThrowAsync<NotSentException>(SendAsync(sink, user, more, delivery))).Message;
        reason.ShouldNotContain("S3CRET");
        reason.ShouldNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes("\0ada\0S3CRET")));
        return reason;
    }
}
