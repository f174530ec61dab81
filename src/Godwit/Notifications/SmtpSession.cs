using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Godwit.Notifications;

/// <summary>Commands and replies of one connection to a mail server.</summary>
internal sealed class SmtpSession(Stream connection, string host, X509ChainPolicy? trust) : IAsyncDisposable
{
    private const int LongestReply = 16 << 10;
    private readonly byte[] _buffer = new byte[512];
    private Stream _stream = connection;
    private int _start;
    private int _end;

    /// <summary>Makes the connection private. What was received before and not read is forgotten: anybody could have slipped it in.</summary>
    public async Task StartTlsAsync(CancellationToken ct)
    {
        var tls = new SslStream(_stream);
        (_stream, _start, _end) = (tls, 0, 0);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = host, CertificateChainPolicy = trust }, ct);
    }

    /// <summary>Sends a command and waits for the reply that means yes.</summary>
    /// <returns>The lines of the reply without their codes.</returns>
    /// <exception cref="NotSentException">The reply is another one.</exception>
    public async Task<IReadOnlyList<string>> AskAsync(string command, int yes, CancellationToken ct)
    {
        await SendAsync(command, ct);
        return await ExpectAsync(yes, ct);
    }

    /// <summary>The same for a piece of a login, whose refusal is told without the server's words: some repeat what they were told.</summary>
    public async Task AskSecretlyAsync(string command, int yes, string user, CancellationToken ct)
    {
        await SendAsync(command, ct);
        var (code, _) = await ReplyAsync(ct);
        if (code != yes)
        {
            throw new NotSentException($"it refused the login of {ForeignText.Line(user)} ({code}): check the user and the password", code is >= 400 and < 500);
        }
    }

    /// <summary>Waits for the reply that means yes.</summary>
    public async Task<IReadOnlyList<string>> ExpectAsync(int yes, CancellationToken ct)
    {
        var (code, lines) = await ReplyAsync(ct);

        // 251 is as good as 250; the third digit never changes what is to be done.
        return code / 10 == yes / 10 ? lines : throw new NotSentException($"it said {code} {ForeignText.Line(string.Join(' ', lines))}".TrimEnd(), code is >= 400 and < 500);
    }

    /// <summary>Takes leave. The mail has been taken or refused by now, and nothing that goes wrong here changes that.</summary>
    public async Task LeaveAsync(CancellationToken ct)
    {
        try
        {
            await SendAsync("QUIT", ct);
        }
        catch (IOException)
        {
        }
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private async Task SendAsync(string command, CancellationToken ct) => await _stream.WriteAsync(Encoding.UTF8.GetBytes($"{command}\r\n"), ct);

    private async Task<(int Code, IReadOnlyList<string> Lines)> ReplyAsync(CancellationToken ct)
    {
        List<string> lines = [];
        for (var left = LongestReply; left > 0;)
        {
            var line = await LineAsync(left, ct);
            left -= line.Length + 1;
            if (line.Length < 3 || left <= 0 || !int.TryParse(line.AsSpan(0, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var code))
            {
                break;
            }

            lines.Add(line.Length > 4 ? line[4..] : "");
            if (line.Length == 3 || line[3] != '-')
            {
                return (code, lines);
            }
        }

        throw new NotSentException("it does not speak SMTP: check the address and the port");
    }

    private async Task<string> LineAsync(int most, CancellationToken ct)
    {
        var line = new StringBuilder();
        while (line.Length < most)
        {
            if (_start == _end)
            {
                (_start, _end) = (0, await _stream.ReadAsync(_buffer, ct));
                if (_end == 0)
                {
                    throw new IOException("it was closed");
                }
            }

            var c = (char)_buffer[_start++];
            if (c == '\n')
            {
                return line.ToString().TrimEnd('\r');
            }

            line.Append(c);
        }

        return line.ToString();
    }
}
