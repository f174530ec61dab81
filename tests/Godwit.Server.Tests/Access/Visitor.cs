using System.Net;
using System.Text.RegularExpressions;

namespace Godwit.Server.Tests.Access;

/// <summary>What a browser does: keeps cookies, and sends the forms of pages with all that is hidden in them. It follows no redirect by itself.</summary>
internal sealed class Visitor(Uri url) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false }) { BaseAddress = url };
    private readonly Dictionary<string, string> _cookies = new(StringComparer.Ordinal);

    /// <summary>What it sends besides with each request.</summary>
    public Dictionary<string, string> Headers { get; } = new(StringComparer.Ordinal);

    public string? Cookie(string name) => _cookies.GetValueOrDefault(name);

    public IReadOnlyCollection<string> CookieNames => _cookies.Keys;

    public void SetCookie(string name, string value) => _cookies[name] = value;

    public Task<Page> GetAsync(string path) => SendAsync(HttpMethod.Get, path, null);

    public Task<Page> PostAsync(string path, params (string Name, string Value)[] fields) =>
        SendAsync(HttpMethod.Post, path, new FormUrlEncodedContent(fields.Select(f => KeyValuePair.Create(f.Name, f.Value))));

    /// <summary>Opens a page, and sends one of its forms with some fields filled in.</summary>
    public async Task<Page> SubmitAsync(string path, string form, params (string Name, string Value)[] fields)
    {
        var page = await GetAsync(path);
        return page.Form(form) is { } found
            ? await PostAsync(found.Action ?? path, [.. found.Hidden, .. fields])
            : throw new InvalidOperationException($"{path} ({page.Status}) has no form {form}: {page.Text}");
    }

    public async Task<Page> SendAsync(HttpMethod method, string path, HttpContent? content)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.RelativeOrAbsolute)) { Content = content };
        if (_cookies.Count > 0)
        {
            request.Headers.Add("Cookie", string.Join("; ", _cookies.Select(c => $"{c.Key}={c.Value}")));
        }

        foreach (var (name, value) in Headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var answer = await _http.SendAsync(request);
        var set = answer.Headers.TryGetValues("Set-Cookie", out var values) ? values.ToList() : [];
        foreach (var cookie in set)
        {
            var (name, value) = cookie.Split(';')[0].Split('=', 2) is [var n, var v] ? (n, v) : ("", "");
            if (value.Length == 0)
            {
                _cookies.Remove(name);
            }
            else
            {
                _cookies[name] = value;
            }
        }

        return new Page((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(), answer.Headers.Location?.OriginalString, set, answer.Headers.ToString());
    }

    public void Dispose() => _http.Dispose();
}

/// <summary>What a server answered.</summary>
internal sealed partial record Page(int Status, string Html, string? Location, IReadOnlyList<string> Cookies, string Headers)
{
    /// <summary>What a person sees of it.</summary>
    public string Text => WebUtility.HtmlDecode(Blanks().Replace(Tags().Replace(Html, " "), " ")).Trim();

    public string Heading => WebUtility.HtmlDecode(HeadingForm().Match(Html).Groups[1].Value);

    public (string? Action, IReadOnlyList<(string Name, string Value)> Hidden)? Form(string name)
    {
        foreach (Match form in Forms().Matches(Html))
        {
            var hidden = Inputs().Matches(form.Groups[2].Value).Select(i => i.Value).Where(i => i.Contains("type=\"hidden\"", StringComparison.Ordinal))
                .Select(i => (Attribute(i, "name")!, Attribute(i, "value") ?? "")).ToList();
            if (hidden.Contains(("_handler", name)))
            {
                return (Attribute(form.Groups[1].Value, "action"), hidden);
            }
        }

        return null;
    }

    /// <summary>The value of the field of that name.</summary>
    public string? Field(string name) => Inputs().Matches(Html).Select(i => i.Value).Where(i => Attribute(i, "name") == name).Select(i => Attribute(i, "value")).FirstOrDefault();

    private static string? Attribute(string tag, string name) =>
        Regex.Match(tag, $"\\b{name}=\"([^\"]*)\"") is { Success: true } match ? WebUtility.HtmlDecode(match.Groups[1].Value) : null;

    [GeneratedRegex("<form([^>]*)>(.*?)</form>", RegexOptions.Singleline)]
    private static partial Regex Forms();

    [GeneratedRegex("<input[^>]*>")]
    private static partial Regex Inputs();

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tags();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();

    [GeneratedRegex("<h1[^>]*>(.*?)</h1>", RegexOptions.Singleline)]
    private static partial Regex HeadingForm();
}
