using Godwit.Notifications;
using Godwit.Workers;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Notifications;

/// <summary>Addresses are looked at before they are stored, and nobody sees what is secret in them. A line here is all that a new case needs.</summary>
public sealed class NotifyTargetsTests
{
    private const string Mail = "?from=godwit@example.com&to=ada@example.com";

    /// <summary>What is written, and what people see of it.</summary>
    public static TheoryData<string, string> Good => new()
    {
        { "", "" },
        { "https://hooks.example/x/S3CRET", "https://hooks.example/…" },
        { "HTTPS://hooks.example:8443/?key=S3CRET", "https://hooks.example:8443/…" },
        { "http://[::1]:9/S3CRET", "http://[::1]:9/…" },
        { "slack+https://hooks.slack.com/services/T0/B0/S3CRET", "slack+https://hooks.slack.com/…" },
        { "env:SLACK_HOOK", "env:SLACK_HOOK" },
        { "file:/run/secrets/hook", "file:/run/secrets/hook" },
        { $"smtp://mail.example/{Mail}", $"smtp://mail.example/{Mail}" },
        { $"smtp://mail.example{Mail},bob+x@example.com", $"smtp://mail.example{Mail},bob+x@example.com" },
        { $"smtps://ada%40example.com@mail.example:465/{Mail}&password-env=MAIL_PASSWORD", $"smtps://ada%40example.com@mail.example:465/{Mail}&password-env=MAIL_PASSWORD" },
        { $"smtp://mail.example:2525/{Mail}&tls=none", $"smtp://mail.example:2525/{Mail}&tls=none" },
        { " https://a.example/S3CRET \t env:B ", "https://a.example/… env:B" },
    };

    /// <summary>What is written, and a piece of each sentence that it is refused with.</summary>
    public static TheoryData<string, string[]> Bad => new()
    {
        { "S3CRET", ["Address 1 cannot be notified: write https://…"] },
        { "ftp://hooks.example/S3CRET", ["Address 1 cannot be notified"] },
        { "slack+smtp://S3CRET", ["Address 1 cannot be notified"] },
        { "https://", ["Address 1 is no address of a webhook"] },
        { "https:S3CRET", ["Address 1 is no address of a webhook"] },
        { "https://hooks.example:99999/S3CRET", ["Address 1 is no address of a webhook"] },
        { "https://ada:S3CRET@hooks.example/x", ["holds a login, which is not sent"] },
        { "https://hooks.example/x#S3CRET", ["holds a #"] },
        { "https://hooks.example/…", ["Address 1 is masked"] },
        { "env:", ["names no environment variable"] },
        { "env", ["names no environment variable"] },
        { "file", ["names no file"] },
        { "env:https://hooks.example/S3CRET", ["names no environment variable"] },
        { "env:A=S3CRET", ["names no environment variable"] },
        { "file:S3CRET", ["names no file: write file:/FULL/PATH"] },
        { "smtp://", ["is no address of a mail server"] },
        { $"smtp://mail.example/S3CRET{Mail}", ["is no address of a mail server"] },
        { "smtp://mail.example", ["has no good from", "has no good to"] },
        { "smtp://mail.example/?from=godwit&to=ada@example.com,,", ["has no good from", "has no good to"] },
        { "smtp://mail.example/?from=a@b%0D%0ABcc:x@y&to=a@b%3E", ["has no good from", "has no good to"] },
        { "smtp://mail.example/?from=a%0D%0ARCPT%20TO:x@y&to=a%20b@c", ["has no good from", "has no good to"] },
        { "smtp://mail.example/?from=a@b%0A&to=%C3%A4@b", ["has no good from", "has no good to"] },
        { $"smtp://ada:S3CRET@mail.example/{Mail}", ["holds a password, which would be stored"] },
        { $"smtp://:S3CRET@mail.example/{Mail}", ["holds a password, which would be stored"] },
        { $"smtp://ada@mail.example/{Mail}", ["names a user and no password"] },
        { $"smtp://mail.example/{Mail}&password-env=A", ["names a password and no user"] },
        { $"smtp://ada@mail.example/{Mail}&password-env=A&password-file=/b", ["names two passwords"] },
        { $"smtp://ada@mail.example/{Mail}&password-env=S3CRET!", ["has a password-env that is not the name"] },
        { $"smtp://ada@mail.example/{Mail}&password-file=b", ["has a password-file that is not the full path"] },
        { $"smtp://ada@mail.example/{Mail}&password=S3CRET", ["says something that is none of from, to", "names a user and no password"] },
        { $"smtp://mail.example/{Mail}&to=bob@example.com", ["says to twice"] },
        { $"smtp://mail.example/{Mail}&tls=S3CRET", ["has a tls that is not understood"] },
        { $"smtps://mail.example/{Mail}&tls=none", ["has a tls that is not understood"] },
        { $"smtp://ada@mail.example/{Mail}&tls=none&password-env=A", ["would send the password in the clear"] },
        { "env:A bogus https://ada@hooks.example/S3CRET#x", ["Address 2 cannot be notified", "Address 3 (https://hooks.example/…) holds a login", "Address 3 (https://hooks.example/…) holds a #"] },
    };

    [Theory]
    [MemberData(nameof(Good))]
    public void A_good_address_is_shown_without_its_secret(string written, string shown)
    {
        WorkerSettings.Problems("notify", written).ShouldBeEmpty();

        WorkerSettings.Shown("notify", written).ShouldBe(shown);
        var settings = WorkerSettings.Read(new Dictionary<string, string> { ["notify"] = written });
        settings.Texts["notify"].ShouldBe(shown);
        string.Join(' ', settings.Notify).ShouldBe(shown);
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_bad_address_is_refused_with_all_that_is_wrong_and_without_repeating_it(string written, string[] sentences)
    {
        var problems = WorkerSettings.Problems("notify", written);

        problems.Count.ShouldBe(sentences.Length, string.Join('\n', problems));
        foreach (var (problem, sentence) in problems.Zip(sentences))
        {
            problem.ShouldStartWith("notify: Address ");
            problem.ShouldContain(sentence);
            problem.ShouldNotContain("S3CRET");
        }

        WorkerSettings.Shown("notify", written).ShouldNotContain("S3CRET");
    }

    [Fact]
    public void The_ports_and_the_kinds_of_privacy_are_those_that_mail_servers_have()
    {
        Read($"smtp://h/{Mail}").ShouldBe(("h", 25, MailTls.WhenOffered));
        Read($"smtps://h/{Mail}").ShouldBe(("h", 465, MailTls.FromTheStart));
        Read($"smtp://[::1]:587/{Mail}&tls=none").ShouldBe(("::1", 587, MailTls.None));
    }

    private static (string Host, int Port, MailTls Tls) Read(string written) => NotifySamples.Target(written).ShouldBeOfType<MailTarget>() is var mail ? (mail.Host, mail.Port, mail.Tls) : default;
}
