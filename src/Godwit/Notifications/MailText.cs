using System.Globalization;
using System.Text;

namespace Godwit.Notifications;

/// <summary>Writes a mail as it goes over the wire (RFC 5322): plain text, in ASCII whatever it says.</summary>
internal static class MailText
{
    // What an encoded word has room for, so that its line stays below 76 characters behind "Subject: " too (RFC 2047).
    private const int BytesOfAWord = 39;

    /// <summary>The headers and the body, lines ended with CR LF; no line begins with a dot.</summary>
    public static string Of(Notification notification, string from, string to)
    {
        // The same for every try, so that a mail that arrived twice is shown once.
        var id = $"{notification.RunId ?? "test"}.{notification.Event}.{notification.At.ToUnixTimeMilliseconds()}".ToLowerInvariant();
        return string.Join("\r\n",
            $"From: Godwit <{from}>",
            $"To: {to.Replace(",", ",\r\n ", StringComparison.Ordinal)}",
            $"Subject: {Subject($"[Godwit] {ForeignText.Line(notification.Message.TrimEnd('.'))}")}",
            $"Date: {notification.At.UtcDateTime.ToString("ddd, dd MMM yyyy HH:mm:ss '+0000'", CultureInfo.InvariantCulture)}",
            $"Message-ID: <{id}@{from[(from.LastIndexOf('@') + 1)..]}>",
            "Auto-Submitted: auto-generated", // so that nobody's absence note answers
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: base64",
            "",
            Body(NotificationText.Long(notification)),
            "");
    }

    private static string Body(string text) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\r\n")), Base64FormattingOptions.InsertLineBreaks);

    private static string Subject(string text)
    {
        if (text.Length <= 60 && text.All(c => c is >= ' ' and <= '~') && !text.Contains("=?", StringComparison.Ordinal))
        {
            return text;
        }

        List<string> words = [];
        var word = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (Encoding.UTF8.GetByteCount(word.ToString()) + rune.Utf8SequenceLength > BytesOfAWord)
            {
                words.Add(word.ToString());
                word.Clear();
            }

            word.Append(rune);
        }

        return string.Join("\r\n ", words.Append(word.ToString()).Select(w => $"=?utf-8?B?{Convert.ToBase64String(Encoding.UTF8.GetBytes(w))}?="));
    }
}
