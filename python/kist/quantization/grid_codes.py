"""The grids of the IQ types. Written by Fixtures/make/ggml_grids.py from gguf-py (MIT licence)."""

import base64
import zlib
from functools import cache

import numpy as np
from numpy.typing import NDArray

# Differences of the ascending codes, as varints; deflated; in base 85.
_PACKED = {
    "iq2_xxs": (
        "c-muNVrFJyXXasIV-jcP;oxMJVd9X8XXatmb`i;7Qb_pE#LOcI6l9Z7Wabfx0n%#9;(`_I1}+MBm{@^Al0dy?H8zJBh2C-lmC7rq"
        "@UUicNEmRbEn!sL&CDUes$xEa(Q6)~*lT8H9s|dE*4d038P{_&aahU9Gc9M7-@(ZAA0#8TiqTPd4bu-MiINS>d$l2s;o#!}+FPLD"
        "D9>8MZ^0)t1887^WTns@#zq#P9@gEA5uA#L8NEMnad2|5Cveo*CB0?*&&*WuoiTU~vml4}9mW%kf4F%JG-fb{9%l4dz|7js#8kA8"
        "b)P;Hhq+@Dqlm^u#t+OO|0*nCbn`1US6IZ{#MI05nVUyMCb2Z@DC2HsC8b`b4Q%rnAMyH`wlIEYoWZh#V+$hyYn(-h"
    ),
    "iq2_xs": (
        "c-mc%F-Tic6ox(j@g}#|OC<7m>64^=iSkGrlt)8`b}5RWrPx8RDN+*CL0hCE2pYt}>>WB4N{UEZa1=K|kbvOiU?))!aTYqb1WJa!"
        "Ya&LMa}Ph~eCNM^2bd9Na5!k3*870t*Hwf|EhQLfN?JOs7n*I7waBPC?rlLO+ef00E5zFF#c%^nk{0oRlXg{}wLc`6T{*8V)IEw;"
        "v381YVJ;y1?grmzB5cJC+OLt7+hNuiw4SYq(j~n+R;^2B(=7!>CaRPwq)))wiPdN*I{MN1LZ^_hbJ^YlN|zsg2%-M;j*A<wZ8k)r"
        "7#xblYTQcb+S_N=R(xtkz0liihPor`6wPX<N{z1D*nHzwWUxmgGsiH=xJkDt%kn#oK0k*w(EX}H9`?~t1{&$_%m0Qq_80a)@<s8i"
        "^V2R}(3{A5<~AW89`YubsN5uX8jqy;A~@qdSsp1ZPJCmT$a(MzKTwd7o)bg12Uk<WSCp+oywvg!&0>qbc254HLwdc@g%E7Dv`un+"
        "3Zc~7An?f}&R)Srs4U;F5q=V8o&Tv?RgV"
    ),
    "iq2_s": (
        "c-nnay-OoO6nEZZve|Jk*lgT&N&Jc&dkBjMhl-Vj5bOkrg%Gt6#ShXP2gfxY+<zcqV=dU-Rd<Dw|3VZYt&L!3W8s^b-OX%_Hao-2"
        "o8Q-aI{=8_AfQ7VKUrN`%X*cZH?qSpxpFvFN<fJlrbv|a>1WQxPzQQIQuNTgboC>1$Sp<#F1HdSwI4_M1Q{nUcWZgcYbXWiR!wE8"
        "HH<?An65vFE`5-`HP%F)Jm=T2A0l_SBzTE4Iqr9K+6N@Im8y=T8%W$%)7zg}nLocRWAAd%c1B)Gp%BKEtg37^q8KSaAm^ZRn*#RZ"
        "^MYeWto{WW<qKnk^P7DeS(<|9C{e0h2f2R8G!WP7P~N1<ScVDD3w#vb+em0EWGhn}*Y1JxwF{=~Yj2-E?ZJG{dfM|r=6?AY``vd5"
        "R7PIV#_U8)>)6`NKbX9wxe>{5y^-eclf0D<a2qNXmFVb%JyNgMzU)S4(CkF|3C&QL4yV*JWoe@B_zlh-wfU0?uJ+R_zAIPlq^GM*"
        "T&!KOukdNCBMhdrW6(w7LJ8ZsgPvH|-R5%T9F_mQM%}%JC!zk;A~k5Wc*<($tVn~lUeI$U<ND}^{}29S<;Pz(`-_1Gh0Tdqa86iz"
    ),
    "iq1": (
        "c-n1M+iu%N5bfN^CApR?^g>%&SvKIpi5=v3)Y<}EpnY&__#^t4MQosXD4Ze)&|k=zU6NMXJ_y>&>|D+{GyIB0xYmv<UPa;g3X9Hn"
        "*MzN5mrNS5TA0^<e>2{%V(6^LqE@Z(_knSnLbR6Ngt!x;ISzWWim;a2<MfA$V7|S#R}yg)$RtIv5B%cSUXr-MRYz$~ip4AB6Zhi>"
        "UAfo1eQqh6O7wh5Vch8sFFY^`NXUcO6S2)qqC9x56>fxE-gsqCY|<guU@IjqY2rFrtzH54`lACe6@yimT~a>mnMt@*OBG9oz#Z8#"
        "-@px15Wi0vWNv@6&68(n`58M9i+e^4U9-o|j?6ZJP=d)%2Qxky3Ubs;pWA{4vKinQw+>ufv&Dk<rmH0G>WOHRn8w{B&w=ZvRLc=q"
        "SkPZ$41GZor)LfU9HFR=>j;)R3M+2g=RMkF;o-l-?=~R#86LZW5<+)$GhF4+6TOd@Ap6|I!uMMXcI_}AsG}xn&<b@9HfVw$`q`;U"
        "3$fNtyTucKqlbeXxPzTJKFIC|8o4s-^S=Y12_QM1;Dzh0YL}~nnq81MbtH}zN=C3hIjVK*x^^@&M?h<*q?NiIFU{&AEOd*eoV^=9"
        "yk)PywX4NbTeM^z!%E~RC-}MicST(AQ5y;$l699{F60=NrIIZOg_o0|wnk3Dwo?0^DVFlI2ou67^-@W$4+Tq<Z`+bC?Q3_4H^m)a"
        "!<UYm4BZwh9&|ifA8C2=lCvI5Ua19NJeJ0jrdbuP5D88Is%!a$tC;><{E=$NFXF8pSY-rVpiCUNZu%x<wfxm)5l73N%X0MXe3zvZ"
        "Nd@f&uCQ8G!RN!B$psmDGkg#IeS#QBkzJoh;n=<#oU!NO%Gl-hm8(%llCf9=0-p_@!gU?HiV5_V0=Y6dLNB-QQ7h{wr024&LyGn6"
        "25GpEdZ5eAK<*J&9az*m<JT~Rr<Qa*Q;zR0$M$ih?lsU&R%3!SJI)Y8LQn5a$qRJiWc`sbLl4wtcx871f{dQQ*a}&EWxmYrExX0|"
        "QOHtPv1y;CUhjPxNA0I9yp75z^XVmLi!bK1@a5F-Z8R{6Z;H1utx7WuGthbKt)rss4M)ixxAS0|AumaD{`wF0zLMFp9khf8F!!bo"
        "TN`I^P^JF=^dwDDe&u{`!GzXT7L|8?lqDMlCg|yjQAh%XAf=^KA6>U4k36rJlU{sG_WnHsYqy7on_N$G?k)MT-3LN0Cd{B}_<bWG"
        "e-h6+R{6E!s%ic`B>!PB5q126q~B?PVi*gt%r|tygO{Qk_J-lW=dHO=`5h1Hx%eW1ImUdNn+xrt`t8MJBI`5jvR+^"
    ),
    "iq3_xxs": (
        "c-kF}K~ID*6ol>Y=mSb06<WIncY$3=(2yAM>`lE9|Np<Sc$j2nGWq5X$UzERK7x{E%D|>BQq5pcrG>PDxph7_HAr{vBYHv*cdV0O"
        ")CtUZJ2GE2q_ob^ZK1ZScNzajl$8UJ(A<+MzzJ!U^-L>Ga`ILG4HKV^$6)gVVbCMD!8Pq?(`jAzLmQUhji9F8H_GYz%P^Zs!k$64"
        "7z^#<AY<`zPTxiRU1f8S^LUw`_0KfFFR}rub!+w7=MPrG<OZ}~fB7vBnE"
    ),
    "iq3_s": (
        "c-keA+fKtk3`E)SE%DwGn$m`XR8*u2-Vy)*XL!rgt}T1!*nUchkWvDWSOpXxff0=yCnjRBRTfQ*L=h6}D5^9m6AYw`3Z~5QRnqP#"
        "h<ZksOlWI2JTjHHhvu*f2Q<*EDI8gh)X)@8gF?y42SVs2mQ`~gRalT5AC>*iRB;)gg;$;aB{8HzdAv2IA}9_1=r|KO#Ng~P5Ai%&"
        "wPl^jh<7rXYsz(k_#1Crk>%Bfpp9)1TqnQ+VsVZjCftoB+-9)0Nri1yt`>dn^>DZbZob7N;cvFMM7K(W8${TplNK2ae8Y22dx3xK"
        ">voo$b=Q!Lz7p36=J~3#i`J8*UZuoxikHuF!0#39cWm~!EcX8LtXXs_(tlcSv~S1D7k-%LC@8vE?syxQvvogHdx=w@znAOj{s-R}"
        "55W"
    ),
}


@cache
def codes(name: str) -> NDArray[np.uint16]:
    # The points of a grid, each with its digits from the lowest bits up: 2 bits each, of iq3 3 bits.
    found: list[int] = []
    code = 0
    steps = iter(zlib.decompress(base64.b85decode(_PACKED[name])))
    for step in steps:
        code += step if step < 128 else (step & 127) | next(steps) << 7
        found.append(code)
    return np.array(found, np.uint16)
