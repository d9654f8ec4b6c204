use strict;
use warnings;
use Digest::SHA qw(hmac_sha256_base64);

# Arguments are bytes. A text with `use utf8` needs utf8::encode($src) first.
sub sign {
    my ($key, $unit, $src, @parameters) = @_;
    my ($key_id, $key_hex) = split /:/, $key;
    $src =~ s/([^A-Za-z0-9\-._~])/sprintf '%%%02X', ord $1/ge;
    my $text = "/u/$unit?" . join '&', "src=$src", @parameters;
    my $mac = hmac_sha256_base64($text, pack 'H*', $key_hex) =~ tr{+/}{-_}r;
    return "$text&sig=$key_id.$mac";
}

print sign(@ARGV), "\n";
