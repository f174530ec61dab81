using System.Net;
using System.Net.Http.Headers;
using System.Net.Mime;
using System.Net.Security;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Godwit.Notifications;

/// <summary>Posts notifications to webhooks.</summary>
internal static class HookSender
{
    // Nulls are written: receivers find every field at any time.
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter() } };

    /// <summary>Posts a notification.</summary>
    /// <exception cref="NotSentException">The receiver did not say that it has it.</exception>
    public static Task SendAsync(HookTarget target, Notification notification, Delivery delivery, CancellationToken ct) => PostAsync(target, Body(target, notification), delivery, ct);

    /// <summary>Posts a document.</summary>
    /// <exception cref="NotSentException">The receiver did not say that it has it.</exception>
    public static async Task PostAsync(HookTarget target, string json, Delivery delivery, CancellationToken ct)
    {
        using var client = new HttpClient(Handler(delivery)) { Timeout = Timeout.InfiniteTimeSpan };
        using var request = new HttpRequestMessage(HttpMethod.Post, target.Url.Reveal());
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Godwit", null));
        request.Content = new StringContent(json, Encoding.UTF8, MediaTypeNames.Application.Json);
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
            if (!response.IsSuccessStatusCode)
            {
                throw Refused(response.StatusCode, await WordsAsync(response, target, ct));
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw NoAnswer(e);
        }
    }

    /// <summary>What is posted.</summary>
    internal static string Body(HookTarget target, Notification notification) =>
        target.IsSlack ? JsonSerializer.Serialize(new { Text = SlackText(notification) }, Json) : JsonSerializer.Serialize(notification, Json);

    // The three characters of Slack's markup that can mention people or hide where a link leads.
    private static string SlackText(Notification notification) => NotificationText.Of(notification)
        .Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);

    private static SocketsHttpHandler Handler(Delivery delivery) => new()
    {
        AllowAutoRedirect = false, // would carry the document to another host, as a GET without it
        UseCookies = false,
        Proxy = delivery.Proxy,
        SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = delivery.Trust },
    };

    private static NotSentException Refused(HttpStatusCode status, string words) => (int)status switch
    {
        >= 300 and < 400 => new NotSentException($"it answered with HTTP {(int)status}, a redirect, which is not followed: name the address that it leads to"),
        >= 500 or 408 or 425 or 429 => new NotSentException($"it answered with HTTP {(int)status}{words}", isTransient: true),
        407 => new NotSentException("the proxy asks for a login (HTTP 407): name it in HTTPS_PROXY"),
        _ => new NotSentException($"it answered with HTTP {(int)status}{words}: check the address and what it accepts"),
    };

    private static NotSentException NoAnswer(Exception cause)
    {
        if (cause is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError, InnerException: AuthenticationException refused })
        {
            return NotSentException.Of(refused);
        }

        var what = (cause as HttpRequestException)?.HttpRequestError switch
        {
            HttpRequestError.ProxyTunnelError => "the proxy did not let it through",
            HttpRequestError.NameResolutionError => "its host is not known",
            HttpRequestError.ConnectionError => "it cannot be reached",
            _ => "the connection was lost",
        };
        return new NotSentException($"{what} ({ForeignText.Line(cause.GetBaseException().Message).TrimEnd('.')})", isTransient: true, cause);
    }

    /// <summary>A receiver's reason such as <c>no_service</c>. Pages are left out, and what repeats a piece of the address, which is secret.</summary>
    private static async Task<string> WordsAsync(HttpResponseMessage response, HookTarget target, CancellationToken ct)
    {
        const int Longest = 100;
        var buffer = new byte[Longest + 1];
        await using var body = await response.Content.ReadAsStreamAsync(ct);
        var words = Encoding.UTF8.GetString(buffer, 0, await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct)).Trim();
        var secrets = new Uri(target.Url.Reveal()).PathAndQuery.Split('/', '?', '&', '=').Where(s => s.Length >= 4);
        return words.Length is > 0 and <= Longest && words.All(c => char.IsAsciiLetterOrDigit(c) || c is ' ' or '_' or '-' or '.' or ',')
            && !secrets.Any(s => words.Contains(s, StringComparison.OrdinalIgnoreCase))
            ? $" ({words})"
            : "";
    }
}
