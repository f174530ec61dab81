using System.Text.RegularExpressions;
using Godwit.ClickHouse;

namespace Godwit.Notifications;

/// <summary>Reads the setting <c>notify</c>. What it says of a bad address never repeats it: it may hold a secret.</summary>
internal static partial class NotifyTargets
{
    private const string Forms = "write https://…, slack+https://…, smtp://…, smtps://…, env:NAME or file:/PATH";
    private static readonly string[] MailKeys = ["from", "to", "password-env", "password-file", "tls"];

    /// <summary>Reads addresses with blanks between them.</summary>
    /// <returns>Those that are good, and all that is wrong with the others, one sentence each.</returns>
    public static (IReadOnlyList<NotifyTarget> Targets, IReadOnlyList<string> Problems) Read(string text)
    {
        List<NotifyTarget> targets = [];
        List<string> problems = [];
        foreach (var (written, number) in text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select((w, i) => (w, i + 1)))
        {
            List<string> wrong = [];
            if (ReadOne(written, wrong) is { } target)
            {
                targets.Add(target);
            }

            problems.AddRange(wrong.Select(w => $"Address {number} {w}."));
        }

        return (targets, problems);
    }

    /// <summary>The setting as people may see it; what cannot be read is not shown at all.</summary>
    public static string Mask(string text) =>
        string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(written => ReadOne(written, [])?.Shown ?? "…"));

    /// <summary>Reads an address.</summary>
    /// <param name="written">The address.</param>
    /// <param name="problems">Is given the ends of the sentences that say what is wrong.</param>
    /// <returns>Null when something is wrong.</returns>
    public static NotifyTarget? ReadOne(string written, List<string> problems)
    {
        if (written.Contains('…', StringComparison.Ordinal))
        {
            problems.Add("is masked: write it whole, or where it stands, as env:NAME or file:/PATH");
            return null;
        }

        var (form, rest) = written.Split(':', 2) is [var before, var after] ? (before, after) : (written, "");
        return form.ToUpperInvariant() switch
        {
            "ENV" => Referred(isFile: false, rest, problems),
            "FILE" => Referred(isFile: true, rest, problems),
            "HTTP" or "HTTPS" => Hook(written, written, problems),
            "SLACK+HTTP" or "SLACK+HTTPS" => Hook(written, written[6..], problems),
            "SMTP" or "SMTPS" => Mail(written, problems),
            _ => Unknown<NotifyTarget>(problems, $"cannot be notified: {Forms}"),
        };
    }

    private static ReferredTarget? Referred(bool isFile, string name, List<string> problems) => SecretSource.Of(isFile, name) is { } source
        ? new ReferredTarget(source)
        : Unknown<ReferredTarget>(problems, isFile ? "names no file: write file:/FULL/PATH" : "names no environment variable: write env:NAME");

    private static HookTarget? Hook(string written, string url, List<string> problems)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Host.Length == 0)
        {
            return Unknown<HookTarget>(problems, "is no address of a webhook: write https://HOST/PATH, or slack+https://HOST/PATH");
        }

        if (uri.UserInfo.Length > 0)
        {
            problems.Add($"(https://{uri.Host}/…) holds a login, which is not sent: the secret of a webhook is its path");
        }

        if (uri.Fragment.Length > 0)
        {
            problems.Add($"(https://{uri.Host}/…) holds a #, and what follows is not sent: write %23");
        }

        var isSlack = written.Length > url.Length;
        return problems.Count > 0 ? null : new HookTarget($"{(isSlack ? "slack+" : "")}{uri.Scheme}://{uri.Authority}/…", new Secret(uri.AbsoluteUri), isSlack);
    }

    private static MailTarget? Mail(string written, List<string> problems)
    {
        if (!Uri.TryCreate(written, UriKind.Absolute, out var uri) || uri.Host.Length == 0 || uri.AbsolutePath.Trim('/').Length > 0 || uri.Fragment.Length > 0)
        {
            return Unknown<MailTarget>(problems, "is no address of a mail server: write smtp://HOST:PORT/?from=ADDRESS&to=ADDRESS,ADDRESS");
        }

        var options = Options(uri, problems);
        var (from, to) = (options.GetValueOrDefault("from", ""), options.GetValueOrDefault("to", ""));
        RequireMailboxes("from", [from], problems);
        RequireMailboxes("to", to.Split(','), problems);
        var implicitTls = uri.Scheme.Equals("smtps", StringComparison.OrdinalIgnoreCase);
        var tls = implicitTls ? MailTls.FromTheStart : options.ContainsKey("tls") ? MailTls.None : MailTls.WhenOffered;
        if (options.TryGetValue("tls", out var said) && (said != "none" || implicitTls))
        {
            problems.Add("has a tls that is not understood: the one value is tls=none, for smtp://");
        }

        var login = Login(uri, options, problems);
        if (login is not null && tls == MailTls.None)
        {
            problems.Add("has a login and tls=none, which would send the password in the clear");
        }

        return problems.Count > 0 ? null : new MailTarget(written, uri.IdnHost, uri.Port > 0 ? uri.Port : implicitTls ? 465 : 25, tls, login, from, to);
    }

    private static Dictionary<string, string> Options(Uri uri, List<string> problems)
    {
        Dictionary<string, string> options = new(StringComparer.Ordinal);
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            // Not the form of web forms: a + in an address of mail is a +.
            var (key, value) = pair.Split('=', 2) is [var name, var text] ? (name, Uri.UnescapeDataString(text)) : (pair, "");
            if (!MailKeys.Contains(key, StringComparer.Ordinal))
            {
                problems.Add($"says something that is none of {string.Join(", ", MailKeys)}");
            }
            else if (!options.TryAdd(key, value))
            {
                problems.Add($"says {key} twice");
            }
        }

        return options;
    }

    private static MailLogin? Login(Uri uri, Dictionary<string, string> options, List<string> problems)
    {
        var user = Uri.UnescapeDataString(uri.UserInfo);
        var named = options.Where(o => o.Key is "password-env" or "password-file").ToList();
        if (uri.UserInfo.Contains(':', StringComparison.Ordinal))
        {
            problems.Add("holds a password, which would be stored: leave it out, and name where it stands with password-env=NAME or password-file=/PATH");
        }
        else if (user.Length > 0 != (named.Count == 1))
        {
            problems.Add(named.Count > 1
                ? "names two passwords: password-env or password-file, not both"
                : user.Length > 0 ? "names a user and no password: add password-env=NAME or password-file=/PATH" : "names a password and no user: write smtp://USER@HOST");
        }
        else if (user.Length > 0)
        {
            return SecretSource.Of(named[0].Key == "password-file", named[0].Value) is { } source
                ? new MailLogin(user, source)
                : Unknown<MailLogin>(problems, $"has a {named[0].Key} that is not {(named[0].Key == "password-file" ? "the full path of a file" : "the name of an environment variable")}");
        }

        return null;
    }

    // Stricter than the standard, so that nothing in an address can be taken for more than an address.
    private static void RequireMailboxes(string key, string[] addresses, List<string> problems)
    {
        if (!addresses.All(a => a.Length <= 254 && Mailbox().IsMatch(a)))
        {
            problems.Add($"has no good {key}: write {key}={(key == "to" ? "ada@example.com,bob@example.com" : "godwit@example.com")}");
        }
    }

    private static T? Unknown<T>(List<string> problems, string problem)
        where T : class
    {
        problems.Add(problem);
        return null;
    }

    [GeneratedRegex(@"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Mailbox();
}
