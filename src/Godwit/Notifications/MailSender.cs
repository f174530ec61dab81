using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace Godwit.Notifications;

/// <summary>
/// Sends notifications as mail over SMTP (RFC 5321). An own client, because the framework's knows neither TLS from the first byte nor
/// AUTH PLAIN, and a library for mail would come into every program that embeds Godwit, for one message of plain text.
/// </summary>
internal static class MailSender
{
    /// <summary>Sends one to all its receivers.</summary>
    /// <exception cref="NotSentException">The server did not take it for all of them.</exception>
    public static async Task SendAsync(MailTarget target, Notification notification, Delivery delivery, CancellationToken ct)
    {
        var password = target.Login?.Password.Read(delivery.Variable);
        try
        {
            using var connection = new TcpClient();
            await connection.ConnectAsync(target.Host, target.Port, ct);
            await using var session = new SmtpSession(connection.GetStream(), target.Host, delivery.Trust);
            var hello = $"EHLO {Literal((IPEndPoint)connection.Client.LocalEndPoint!)}";
            await LogInAsync(session, target, password, hello, ct);
            await PostAsync(session, target, MailText.Of(notification, target.From, target.To), ct);
        }
        catch (SocketException e)
        {
            throw new NotSentException($"it cannot be reached ({ForeignText.Line(e.Message)})", isTransient: true, e);
        }
        catch (AuthenticationException e)
        {
            throw NotSentException.Of(e);
        }
        catch (IOException e)
        {
            throw new NotSentException($"the connection was lost ({ForeignText.Line(e.GetBaseException().Message)})", isTransient: true, e);
        }
    }

    private static async Task LogInAsync(SmtpSession session, MailTarget target, string? password, string hello, CancellationToken ct)
    {
        if (target.Tls == MailTls.FromTheStart)
        {
            await session.StartTlsAsync(ct);
        }

        await session.ExpectAsync(220, ct);
        var offers = await session.AskAsync(hello, 250, ct);
        if (target.Tls == MailTls.WhenOffered && Offers(offers, "STARTTLS") is not null)
        {
            await session.AskAsync("STARTTLS", 220, ct);
            await session.StartTlsAsync(ct);

            // What was said before could have been said by anybody.
            offers = await session.AskAsync(hello, 250, ct);
        }
        else if (target is { Tls: MailTls.WhenOffered, Login: not null })
        {
            throw new NotSentException("it offers no TLS (STARTTLS), and a password is not sent in the clear: use smtps://, another port, or no login");
        }

        if (target.Login is { } login)
        {
            await LogInAsync(session, login.User, password!, Offers(offers, "AUTH") ?? "", ct);
        }
    }

    private static async Task LogInAsync(SmtpSession session, string user, string password, string ways, CancellationToken ct)
    {
        var known = ways.Split(' ').Select(w => w.ToUpperInvariant()).ToList();
        if (known.Contains("PLAIN"))
        {
            await session.AskSecretlyAsync($"AUTH PLAIN {Base64($"\0{user}\0{password}")}", 235, user, ct);
        }
        else if (known.Contains("LOGIN"))
        {
            await session.AskSecretlyAsync("AUTH LOGIN", 334, user, ct);
            await session.AskSecretlyAsync(Base64(user), 334, user, ct);
            await session.AskSecretlyAsync(Base64(password), 235, user, ct);
        }
        else
        {
            throw new NotSentException("it offers no login by PLAIN or LOGIN");
        }
    }

    private static async Task PostAsync(SmtpSession session, MailTarget target, string text, CancellationToken ct)
    {
        List<NotSentException> refused = [];
        var receivers = target.To.Split(',');
        await session.AskAsync($"MAIL FROM:<{target.From}>", 250, ct);
        foreach (var receiver in receivers)
        {
            try
            {
                await session.AskAsync($"RCPT TO:<{receiver}>", 250, ct);
            }
            catch (NotSentException e)
            {
                refused.Add(new NotSentException($"{receiver}: {e.Message}", e.IsTransient, e));
            }
        }

        if (refused.Count < receivers.Length)
        {
            await session.AskAsync("DATA", 354, ct);
            await session.AskAsync($"{text}.", 250, ct);
        }

        await session.LeaveAsync(ct);
        if (refused.Count > 0)
        {
            // Those that were taken have it by now: trying again would send it to them twice.
            throw new NotSentException(string.Join("; ", refused.Select(r => r.Message)), refused.Count == receivers.Length && refused.TrueForAll(r => r.IsTransient));
        }
    }

    private static string? Offers(IReadOnlyList<string> offers, string word) =>
        offers.FirstOrDefault(o => o.Split(' ')[0].Equals(word, StringComparison.OrdinalIgnoreCase));

    // A machine's own name is often not one that a mail server takes; its address always is.
    private static string Literal(IPEndPoint local) => local.Address.IsIPv4MappedToIPv6
        ? $"[{local.Address.MapToIPv4()}]"
        : local.AddressFamily == AddressFamily.InterNetworkV6 ? $"[IPv6:{local.Address.ToString().Split('%')[0]}]" : $"[{local.Address}]";

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
