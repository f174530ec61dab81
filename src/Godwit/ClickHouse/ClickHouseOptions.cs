using System.Diagnostics.CodeAnalysis;

namespace Godwit.ClickHouse;

/// <summary>Where a ClickHouse server is, and how to log in to it. Checked by <see cref="Problems"/> when a gateway is made.</summary>
public sealed record ClickHouseOptions
{
    /// <summary>The HTTP(S) interface: scheme, host and port only, e.g. <c>http://127.0.0.1:8123</c>.</summary>
    public required Uri Url { get; init; }

    /// <summary>The ClickHouse user.</summary>
    public string User { get; init; } = "default";

    /// <summary>The password; sent in a header, so that it never is in a URL.</summary>
    public Secret Password { get; init; } = Secret.None;

    /// <summary>How long making a connection may take, TLS included.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an ordinary, short statement may take; long ones say so in <see cref="QueryOptions.Timeout"/>.</summary>
    public TimeSpan QueryTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A PEM file with the authorities (or the self-signed certificate) to trust instead of the system's.</summary>
    public string? CaCertificateFile { get; init; }

    /// <summary>host:port, for people.</summary>
    internal string Name => Url.IsAbsoluteUri ? $"{Url.Host}:{Url.Port}" : "(no host)";

    /// <summary>
    /// Reads a URL as a person writes it. User and password in it (<c>http://user:password@host</c>) are taken out of the URL.
    /// A missing port becomes ClickHouse's own: 8123, or 8443 for https.
    /// </summary>
    /// <returns>False, with a sentence in <paramref name="error"/> that never repeats the URL, since it may hold a password.</returns>
    public static bool TryParse(
        string? url,
        [NotNullWhen(true)] out ClickHouseOptions? options,
        [NotNullWhen(false)] out string? error)
    {
        options = null;
        if (!Uri.TryCreate(url?.Trim(), UriKind.Absolute, out var uri) || uri.Host.Length == 0)
        {
            error = "This is not the URL of a ClickHouse server: write it like http://host:8123 or https://host:8443.";
            return false;
        }

        error = UrlProblem(uri);
        if (error is not null)
        {
            return false;
        }

        var parsed = new ClickHouseOptions { Url = WithoutUserInfo(uri, url!.Trim()) };
        var info = uri.UserInfo.Split(':', 2);
        if (info[0].Length > 0)
        {
            parsed = parsed with { User = Uri.UnescapeDataString(info[0]) };
        }

        if (info.Length > 1)
        {
            parsed = parsed with { Password = new Secret(Uri.UnescapeDataString(info[1])) };
        }

        error = parsed.Problems() is [var problem, ..] ? problem : null;
        options = error is null ? parsed : null;
        return error is null;
    }

    /// <summary>Everything that is wrong with these options, a sentence each; empty when they can be used.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        if (!Url.IsAbsoluteUri || UrlProblem(Url) is not null)
        {
            problems.Add(Url.IsAbsoluteUri ? UrlProblem(Url)! : "The URL of a ClickHouse server must be absolute, like http://host:8123.");
        }
        else if (Url.UserInfo.Length > 0)
        {
            problems.Add("The URL of a ClickHouse server must not hold a user or password: give them as User and Password.");
        }

        AddHeaderProblem(problems, "user", User);
        AddHeaderProblem(problems, "password", Password.Reveal());
        if (User.Length == 0)
        {
            problems.Add("The user of a ClickHouse server must not be empty: the usual one is default.");
        }

        if (ConnectTimeout <= TimeSpan.Zero || QueryTimeout <= TimeSpan.Zero)
        {
            problems.Add("ConnectTimeout and QueryTimeout must be longer than zero.");
        }

        if (CaCertificateFile is not null && !File.Exists(CaCertificateFile))
        {
            problems.Add($"The CA certificate file {CaCertificateFile} does not exist or cannot be read.");
        }

        return problems;
    }

    /// <summary>user@host:port, without what a URL may hide.</summary>
    public override string ToString() => $"{User}@{Name}";

    private static string? UrlProblem(Uri uri)
    {
        if (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps)
        {
            return "Only http and https URLs lead to a ClickHouse server here: write http://host:8123, not the native port 9000.";
        }

        return uri.AbsolutePath != "/" || uri.Query.Length > 0 || uri.Fragment.Length > 0
            ? "The URL of a ClickHouse server ends after the port: a path, a query or a fragment does not belong there. "
                + "A /, ? or # in a password is written %2F, %3F or %23."
            : null;
    }

    private static Uri WithoutUserInfo(Uri uri, string text)
    {
        // Uri fills in 80 and 443, which nobody runs ClickHouse on without saying so.
        var afterUser = text[(text.IndexOf("://", StringComparison.Ordinal) + 3)..];
        afterUser = afterUser[(afterUser.LastIndexOf('@') + 1)..].TrimEnd('/');
        var saysPort = afterUser.LastIndexOf(':') > afterUser.LastIndexOf(']');
        var port = saysPort ? uri.Port : uri.Scheme == Uri.UriSchemeHttps ? 8443 : 8123;
        return new UriBuilder(uri.Scheme, uri.Host, port).Uri;
    }

    private static void AddHeaderProblem(List<string> problems, string what, string value)
    {
        if (value.Any(char.IsControl) || value != value.Trim())
        {
            // HTTP strips blanks at the ends of a header and forbids control characters in it.
            problems.Add($"The {what} of a ClickHouse server must not begin or end with a blank, nor hold a control character.");
        }
    }
}
