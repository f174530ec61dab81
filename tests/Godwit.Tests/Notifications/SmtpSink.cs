using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Godwit.Tests.Notifications;

/// <summary>A mail server over real SMTP, which keeps what it is told.</summary>
internal sealed class SmtpSink : SinkServer
{
    private readonly ConcurrentQueue<string> _commands = new();
    private readonly ConcurrentQueue<string> _mails = new();

    /// <summary>For TLS; null to offer none.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Whether TLS begins with the first byte.</summary>
    public bool TlsFromTheStart { get; init; }

    /// <summary>The ways to log in that it offers.</summary>
    public string Auth { get; init; } = "";

    /// <summary>Its first words.</summary>
    public string Greeting { get; init; } = "220 sink ready";

    /// <summary>Answers to commands that begin so, instead of the usual ones; an empty one hangs up.</summary>
    public Dictionary<string, string> Answers { get; init; } = [];

    /// <summary>What clients said, in order; <c>TLS</c> where it began.</summary>
    public IReadOnlyList<string> Commands => [.. _commands];

    /// <summary>The mails, with their headers.</summary>
    public IReadOnlyList<string> Mails => [.. _mails];

    protected override async Task TalkAsync(Stream client)
    {
        var stream = TlsFromTheStart ? await SecureAsync(client) : client;
        await SayAsync(stream, $"{Greeting}\r\n");
        while (await LineAsync(stream) is { } command)
        {
            _commands.Enqueue(command);
            var answer = Answers.FirstOrDefault(a => command.StartsWith(a.Key, StringComparison.Ordinal)).Value ?? Usual(command);
            if (answer.Length == 0)
            {
                return;
            }

            await SayAsync(stream, $"{answer}\r\n");
            stream = answer.StartsWith("220", StringComparison.Ordinal) ? await SecureAsync(stream) : stream;
            if (answer.StartsWith("354", StringComparison.Ordinal))
            {
                await TakeMailAsync(stream);
            }
        }
    }

    private async Task<Stream> SecureAsync(Stream stream)
    {
        var tls = await TlsAsync(stream, Certificate!, End);
        _commands.Enqueue("TLS");
        return tls;
    }

    private async Task TakeMailAsync(Stream stream)
    {
        StringBuilder mail = new();
        while (await LineAsync(stream) is { } line && line != ".")
        {
            mail.Append(line).Append('\n');
        }

        _mails.Enqueue(mail.ToString());
        await SayAsync(stream, $"{Answers.GetValueOrDefault(".", "250 taken")}\r\n");
    }

    private string Usual(string command) => command.Split(' ')[0] switch
    {
        "EHLO" => string.Join("\r\n", ["250-sink", .. Auth.Length > 0 ? [$"250-AUTH {Auth}"] : Array.Empty<string>(), .. Certificate is null || TlsFromTheStart ? Array.Empty<string>() : ["250-STARTTLS"], "250 8BITMIME"]),
        "STARTTLS" => "220 go on",
        "AUTH" when command == "AUTH LOGIN" => "334 VXNlcm5hbWU6",
        "AUTH" => "235 welcome",
        "DATA" => "354 go on",
        "QUIT" => "221 bye",
        "MAIL" or "RCPT" => "250 yes",
        _ => Commands.Count(c => !c.Contains(' ', StringComparison.Ordinal) && c != "TLS" && c != "STARTTLS") == 1 ? "334 UGFzc3dvcmQ6" : "235 welcome",
    };
}
